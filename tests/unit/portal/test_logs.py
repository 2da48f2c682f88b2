"""What leaves the process as a log line: one line, structured, and nothing of anybody."""

from __future__ import annotations

import io
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from string import hexdigits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from config.operation import LogFormat, LogsSettings
from portal.domain.security_events import SecurityEvent
from portal.furnishing import engine_of
from portal.logs import HIDDEN, IDENTIFYING, WITNESS_LOGGER, configure_logging, cut, formatter
from portal.services.security_log import SECURITY_LOGGER, announce
from tests.factories.people import KADRI, MARY

WHO = {"account": "account-1", "role": "caseworker", "organisation": "board", "session": "s-1", "address": "192.0.2.7"}


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Configuring is for a process; a test puts back what it found."""
    loggers = [
        logging.getLogger(name) for name in (None, SECURITY_LOGGER, WITNESS_LOGGER, "werkzeug", "gunicorn.error")
    ]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        for added in set(logger.handlers) - set(handlers):
            added.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def _written(logger: str, *, security: bool = False) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(as_json=True, security=security))
    chosen = logging.Logger(logger)  # noqa: LOG001 - one that no other test knows
    chosen.addHandler(handler)
    return chosen, stream


def _line(stream: io.StringIO) -> dict[str, Any]:
    assert stream.getvalue().count("\n") == 1
    parsed: dict[str, Any] = json.loads(stream.getvalue())
    return parsed


def test_a_line_is_json_with_the_request_and_the_fields_it_was_given() -> None:
    logger, stream = _written("portal.somewhere")
    with bound_contextvars(request_id="0011223344556677"):
        logger.warning("registry gave no answer", extra={"registry": "population"})
    line = _line(stream)
    assert line["event"] == "registry gave no answer"
    assert (line["registry"], line["level"], line["logger"]) == ("population", "warning", "portal.somewhere")
    assert line["request_id"] == "0011223344556677"
    assert line["time"].endswith("Z")


def test_the_ordinary_log_does_not_say_who_asked_and_the_security_stream_does() -> None:
    ordinary, ordinary_stream = _written("portal.somewhere")
    security, security_stream = _written(SECURITY_LOGGER, security=True)
    with bound_contextvars(**WHO):
        ordinary.error("something")
        security.error("something")
    assert not set(IDENTIFYING) & _line(ordinary_stream).keys()
    assert WHO.items() <= _line(security_stream).items()


def test_an_error_is_its_type_and_place_and_never_its_message() -> None:
    logger, stream = _written("gunicorn.error")
    try:
        int(f"Mari Maasikas, {MARY.reveal()}")
    except ValueError:
        logger.exception("Error handling request %s %s", "GET", f"/casework?code={MARY.reveal()}&name=Mari")
    line = _line(stream)
    assert line["cause"] == "ValueError"
    assert "test_logs.py" in line["place"]
    for secret in ("Mari", MARY.reveal(), "Traceback"):
        assert secret not in stream.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        '127.0.0.1 - - "GET /verify?name=Mari HTTP/1.1" 200 -',
        "Invalid request: '/x?y=Mari'",
        "https://idp.example/callback?code=Mari&state=Mari refused",
    ],
)
def test_a_librarys_line_loses_its_query_string(line: str) -> None:
    assert "Mari" not in cut(line)


@pytest.mark.parametrize(
    "opaque", ["a81f408e-d86b-4b0c-933d-77771886017e", "e37771886017e616", "0f37771886017cde37771886017ab" * 2]
)
def test_an_id_whose_digits_look_like_a_code_stays_whole(opaque: str) -> None:
    assert cut(f"account {opaque}, code 37771886017") == f"account {opaque}, code {HIDDEN}"


@given(opaque=st.one_of(st.uuids().map(str), st.from_regex(r"[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64}", fullmatch=True)))
def test_no_id_that_the_house_gives_out_is_cut(opaque: str) -> None:
    assert cut(opaque) == opaque


@given(before=st.text(max_size=20), after=st.text(max_size=20), code=st.sampled_from([MARY, KADRI]))
def test_no_personal_code_gets_into_a_line_whatever_stands_around_it(before: str, after: str, code: Any) -> None:
    digits = code.reveal()
    # Among more digits it is another number, and inside a longer id a part of it: nobody's code.
    around = before.rstrip(hexdigits) + digits + after.lstrip(hexdigits)
    assert digits not in cut(around)


def test_no_line_can_be_made_to_look_like_two() -> None:
    logger, stream = _written("portal.somewhere")
    logger.info("one\r\ntwo\n%s", "\x1b[31mthree\u202e\u2028")
    _line(stream)
    assert stream.getvalue().isascii()


def test_what_is_no_text_and_no_number_is_named_by_its_type_only() -> None:
    logger, stream = _written("portal.somewhere")
    logger.info("form", extra={"form": {"name": "Mari"}})
    assert _line(stream)["form"] == "dict"


def test_a_failed_statement_never_shows_its_parameters() -> None:
    engine = engine_of("sqlite://")
    with pytest.raises(SQLAlchemyError) as failed, engine.connect() as connection:
        connection.execute(text("SELECT missing FROM nowhere WHERE code = :code"), {"code": MARY.reveal()})
    assert MARY.reveal() not in str(failed.value)
    engine.dispose()


@pytest.mark.usefixtures("logging_as_before")
def test_security_events_have_a_file_of_their_own_that_only_its_owner_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "logs" / "security.jsonl"
    configure_logging(LogsSettings(format=LogFormat.JSON, security=str(file)))
    announce(SecurityEvent.ROUTE_REFUSED, endpoint="oversight.search")
    logging.getLogger("werkzeug").warning("an ordinary line")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], line["severity"], line["endpoint"]) for line in lines] == [
        ("route-refused", "medium", "oversight.search")
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "an ordinary line" in capsys.readouterr().err


@pytest.mark.usefixtures("logging_as_before")
def test_a_demonstration_logs_for_people_and_production_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in LogFormat:
        configure_logging(LogsSettings(format=wanted, security="stderr"))
        logging.getLogger("portal").warning("a line")
    console, as_json = sorted(capsys.readouterr().err.strip().splitlines(), key=lambda line: line.startswith("{"))
    assert "a line" in console
    assert json.loads(as_json)["event"] == "a line"


@pytest.mark.usefixtures("logging_as_before")
def test_the_logs_alarm_about_a_witness_is_told_in_the_security_stream(tmp_path: Path) -> None:
    file = tmp_path / "security.jsonl"
    configure_logging(LogsSettings(format=LogFormat.JSON, security=str(file)))
    logging.getLogger(WITNESS_LOGGER).warning("witness %s: %s", "w.example", "no answer")
    logging.getLogger(WITNESS_LOGGER).error("ALARM: witness %s refuses this log: %s", "w.example", "409")
    (line,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (line["event"], line["witness"], line["severity"]) == ("witness-refused", "w.example", "critical")
