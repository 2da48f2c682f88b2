"""Nobody asks without end: not an address, not an account, and not about one person."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, MARY
from tests.unit.portal.web.test_request_log import Written

Build = Callable[..., FakePortal]
REASON = "Deciding the housing benefit claim received on 3 March"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """A portal with limits of the test's own."""
    built: list[FakePortal] = []

    def make(**limits: str) -> FakePortal:
        built.append(FakePortal.build(tmp_path / str(len(built)), monkeypatch, limits=limits))
        return built[-1]

    yield make
    for portal in built:
        portal.close()


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine (Debian's package redis-server has one)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = _redis(program, port, tmp_path)
    yield f"redis://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


def _redis(program: str, port: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    for _ in range(100):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.05)
    client.close()
    return server


def _open(portal: FakePortal, client: Any, code: str) -> int:
    form = {"personal_code": code, "case": "C-1", "registries": ["population"], "justification": REASON}
    status: int = portal.post(client, "/casework/benefit-claim", **form).status_code
    return status


def test_an_address_that_asks_too_often_is_told_when_to_come_back(build: Build) -> None:
    client = build(per_address="3/minute").client()
    assert [client.get("/about").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/about")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many requests" in refused.get_data(as_text=True)
    assert client.get("/healthz").status_code == 200


def test_a_page_that_does_not_exist_counts_as_well(build: Build) -> None:
    client = build(per_address="2/minute").client()
    assert [client.get(f"/guess-{number}").status_code for number in range(3)] == [404, 404, 429]


def test_a_page_that_sends_to_the_sign_in_counts_as_well(build: Build) -> None:
    client = build(per_address="2/minute").client()
    assert [client.get("/me").status_code for _ in range(3)] == [302, 302, 429]


def test_another_address_is_not_held_up(build: Build) -> None:
    portal = build(per_address="1/minute")
    other = {"REMOTE_ADDR": "192.0.2.1"}
    for _ in range(2):
        portal.client().get("/about")
    assert portal.client().get("/about").status_code == 429
    assert portal.client().get("/about", environ_base=other).status_code == 200


def test_a_forged_forwarding_header_makes_no_new_address(build: Build) -> None:
    client = build(per_address="1/minute").client()
    answers = [
        client.get("/about", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code for number in range(2)
    ]
    assert answers == [200, 429]


def test_getting_in_cannot_be_tried_without_end(build: Build) -> None:
    portal = build(attempts_per_address="3/minute")
    client = portal.client()
    answers = [portal.post(client, "/sign-in/demonstration", account="nobody").status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]
    assert client.get("/about").status_code == 200


def test_what_systems_report_is_counted_by_itself_and_is_no_attempt_to_get_in(build: Build) -> None:
    portal = build(attempts_per_address="2/minute", per_address="100/minute", reports_per_address="4/minute")
    client = portal.app.test_client()
    reported = [client.post("/api/v1/accesses") for _ in range(6)]
    assert [answer.status_code for answer in reported] == [401, 401, 401, 401, 429, 429]
    assert reported[-1].mimetype == "application/problem+json"
    assert int(reported[-1].headers["Retry-After"]) >= 1
    tokens = [client.post("/api/oauth/token").status_code for _ in range(3)]
    assert tokens == [400, 400, 429]
    assert client.get("/about").status_code == 200


def test_an_account_is_counted_over_all_its_sessions_and_addresses(build: Build) -> None:
    portal = build(per_account="4/minute")
    first, second = portal.client("citizen"), portal.client("citizen")
    statuses = [
        client.get("/me", environ_base={"REMOTE_ADDR": address}).status_code
        for _ in range(3)
        for client, address in ((first, "192.0.2.1"), (second, "192.0.2.2"))
    ]
    assert statuses == [200, 200, 200, 200, 429, 429]
    assert portal.client("neighbour").get("/me").status_code == 200


def test_ten_thousand_look_ups_are_stopped_long_before_and_raise_an_alarm(build: Build) -> None:
    portal = build(lookups_per_account="3/minute")
    client = portal.client("caseworker")
    with Written("glasshouse.security", security=True) as security:
        statuses = [_open(portal, client, code) for code in [MARY.reveal(), JUHAN.reveal()] * 2]
    assert statuses == [200, 200, 200, 429]
    (alarm,) = security.lines("rate-limited")
    assert (alarm["scope"], alarm["severity"]) == ("look-ups", "high")
    assert alarm["account"] == portal.accounts["caseworker"]


def test_one_person_cannot_be_looked_at_without_end_not_even_by_several(build: Build) -> None:
    portal = build(lookups_per_subject="2/hour")
    first, second = portal.client("caseworker"), portal.client("colleague")
    assert _open(portal, first, MARY.reveal()) == 200
    assert _open(portal, second, f" EE{MARY.reveal()} ") == 200
    assert _open(portal, second, MARY.reveal()) == 429
    assert _open(portal, second, JUHAN.reveal()) == 200


@pytest.mark.parametrize(
    ("limit", "path", "form"),
    [
        ("searches_per_account", "/oversight", {}),
        ("exports_per_account", "/oversight/export", {"format": "jsonl"}),
        ("verifications_per_account", "/oversight/verification", {}),
    ],
)
def test_an_auditors_work_has_limits_too(build: Build, limit: str, path: str, form: dict[str, str]) -> None:
    portal = build(**{limit: "1/minute"})
    client = portal.client("auditor", stepped_up=True)
    first = portal.post(client, path, **form)
    first.get_data()
    assert first.status_code != 429
    assert portal.post(client, path, **form).status_code == 429


def test_limits_can_be_switched_off_for_measuring(build: Build) -> None:
    client = build(per_address="1/minute", enabled="false").client()
    assert [client.get("/about").status_code for _ in range(3)] == [200, 200, 200]


def test_processes_count_together_in_redis_and_leave_nobodys_code_there(build: Build, redis_url: str) -> None:
    first, second = (build(lookups_per_subject="1/hour", storage=redis_url) for _ in range(2))
    second.app.config["SECRET_KEY"] = first.app.config["SECRET_KEY"]
    assert _open(first, first.client("caseworker"), MARY.reveal()) == 200
    assert _open(second, second.client("caseworker"), MARY.reveal()) == 429
    store = redis.Redis.from_url(redis_url)
    keys = b" ".join(store.keys())
    store.close()
    assert b"subject" in keys
    assert MARY.reveal().encode() not in keys


def test_without_its_store_each_process_counts_by_itself_and_lets_nobody_through_uncounted(build: Build) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = f"redis://127.0.0.1:{closed.getsockname()[1]}"
    client = build(per_address="2/minute", storage=unreachable).client()
    assert [client.get("/about").status_code for _ in range(3)] == [200, 200, 429]
