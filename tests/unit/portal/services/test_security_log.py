"""The list of security events: complete, documented, and announced where they happen."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

from portal.domain.security_events import COMMON_FIELDS, DESCRIPTIONS, Description, SecurityEvent
from portal.services.security_log import SECURITY_LOGGER, announce

ROOT = Path(__file__).parents[4]
DOCUMENT = ROOT / "docs" / "security-events.md"


def _row(event: SecurityEvent, described: Description) -> str:
    fields = ", ".join(f"`{name}`" for name in described.fields)
    cells = (f"`{event}`", described.severity, described.meaning, fields, described.standard or "")
    return f"| {' | '.join(cells)} |"


def test_every_event_is_described_and_stands_in_the_document() -> None:
    assert set(DESCRIPTIONS) == set(SecurityEvent)
    listed = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert listed == [_row(event, described) for event, described in DESCRIPTIONS.items()]


def test_every_event_is_announced_somewhere_and_only_there_spelled() -> None:
    announced = set()
    for path in (ROOT / "portal").rglob("*.py"):
        if path.name == "security_events.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "SecurityEvent"
            ):
                announced.add(node.attr)
    assert announced == {event.name for event in SecurityEvent}


def test_an_event_carries_its_severity_and_its_own_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, SECURITY_LOGGER):
        announce(SecurityEvent.ACCESS_DENIED, reason="own-record", entry=7)
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == ("access-denied", logging.WARNING)
    assert (record.__dict__["severity"], record.__dict__["reason"], record.__dict__["entry"]) == (
        "medium",
        "own-record",
        7,
    )


def test_a_field_that_is_not_described_is_refused() -> None:
    with pytest.raises(ValueError, match="subject"):
        announce(SecurityEvent.ACCESS_DENIED, subject="EE38001085718")


def test_no_field_of_an_event_hides_one_that_every_event_carries() -> None:
    for described in DESCRIPTIONS.values():
        assert not set(described.fields) & set(COMMON_FIELDS)
        # Names that `logging` keeps for itself would end in an error when the event happens.
        assert not set(described.fields) & set(logging.makeLogRecord({}).__dict__)
