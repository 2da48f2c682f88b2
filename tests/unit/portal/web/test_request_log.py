"""What a request leaves in the ordinary log and in the security stream."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from audit.errors import LogFrozen, LogUnavailable
from portal.logs import formatter
from portal.services.security_log import SECURITY_LOGGER
from tests.factories.apps import FakePortal
from tests.factories.people import MARY

REASON = "Deciding the housing benefit claim received on 3 March"


class Written:
    """The lines of one stream, as they would leave the process."""

    def __init__(self, logger: str, *, security: bool) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter(as_json=True, security=security))
        self.logger = logging.getLogger(logger)
        self._level = self.logger.level

    def __enter__(self) -> Written:
        self.logger.addHandler(self.handler)
        self.logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        self.logger.removeHandler(self.handler)
        self.logger.setLevel(self._level)

    def lines(self, event: str) -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in parsed if line["event"] == event]


@pytest.fixture
def ordinary() -> Iterator[Written]:
    with Written("glasshouse.requests", security=False) as written:
        yield written


@pytest.fixture
def security() -> Iterator[Written]:
    with Written(SECURITY_LOGGER, security=True) as written:
        yield written


def test_a_request_leaves_one_line_that_names_its_route_and_not_its_address(
    portal: FakePortal, ordinary: Written
) -> None:
    portal.client().get("/language/et?next=/about")
    (line,) = ordinary.lines("request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/language/<code>", 302)
    assert line["milliseconds"] >= 0
    assert len(line["request_id"]) == 16
    assert "about" not in ordinary.stream.getvalue()
    assert "127.0.0.1" not in ordinary.stream.getvalue()


def test_a_refused_route_says_who_asked_from_where(portal: FakePortal, security: Written) -> None:
    portal.client("caseworker").get("/oversight")
    (line,) = security.lines("route-refused")
    assert line["account"] == portal.accounts["caseworker"]
    assert (line["role"], line["endpoint"]) == ("caseworker", "oversight.search")
    assert line["address"] == "127.0.0.1"
    assert line["session"]


def test_nothing_of_one_request_stands_in_the_next_ones_lines(portal: FakePortal, security: Written) -> None:
    client = portal.client("caseworker")
    client.get("/casework")
    portal.client().post("/sign-in/demonstration")
    (line,) = security.lines("form-not-trusted")
    assert "account" not in line
    assert len(line["request_id"]) == 16
    assert line["address"] == "127.0.0.1"


def test_signing_in_and_out_are_told(portal: FakePortal, security: Written) -> None:
    client = portal.client("citizen")
    portal.post(client, "/sign-out")
    (came,) = security.lines("signed-in")
    assert (came["method"], came["severity"]) == ("demonstration", "info")
    assert security.lines("signed-out")[0]["account"] == portal.accounts["citizen"]


def test_a_denied_look_is_told_by_its_entry_and_without_the_person(portal: FakePortal, security: Written) -> None:
    client = portal.client("caseworker")
    form = {"personal_code": MARY.reveal(), "case": "C-1", "registries": ["population"], "justification": "check"}
    portal.post(client, "/casework/benefit-claim", **form)
    (line,) = security.lines("access-denied")
    assert line["reason"] == "justification-refused"
    assert portal.house.log.entry(line["entry"]).access is not None
    assert MARY.reveal() not in security.stream.getvalue()


@pytest.mark.parametrize(
    ("error", "event", "severity"),
    [(LogUnavailable, "not-recorded", "high"), (LogFrozen, "log-frozen", "critical")],
)
def test_a_log_that_cannot_write_raises_an_alarm(
    portal: FakePortal,
    security: Written,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    event: str,
    severity: str,
) -> None:
    client = portal.client("caseworker")

    def fail(*_: object, **__: object) -> None:
        raise error("no disk")

    monkeypatch.setattr(portal.house.log.__class__, "append_all", fail)
    form = {"personal_code": MARY.reveal(), "case": "C-1", "registries": ["population"], "justification": REASON}
    assert portal.post(client, "/casework/benefit-claim", **form).status_code == 503
    assert security.lines(event)[0]["severity"] == severity


def test_an_unexpected_error_is_told_by_type_and_place(
    portal: FakePortal, security: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError(f"while reading {MARY.reveal()}")

    portal.app.testing = False
    client = portal.client("citizen")
    monkeypatch.setattr(portal.house.records.__class__, "holdings", explode)
    page = client.get("/me/records").get_data(as_text=True)
    (line,) = security.lines("unexpected-error")
    assert line["cause"] == "RuntimeError"
    assert "test_request_log.py" in line["place"]
    assert MARY.reveal() not in security.stream.getvalue()
    assert line["request_id"] in page
