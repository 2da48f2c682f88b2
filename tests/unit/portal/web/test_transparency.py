"""The public statistics as page, CSV and JSON: the same figures, for everybody, under a checkpoint that can be kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.checkpoint import open_checkpoint
from audit.note import verifier_from_vkey
from tests.factories.apps import FakePortal
from tests.factories.logs import TickingClock, an_access

FIRST, SECOND = "social-insurance-board", "tax-board"


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    """A portal that saw looks in September and October, seen from the end of November."""
    clock = TickingClock(datetime(2026, 11, 25, 12, tzinfo=UTC))
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock)
    monkeypatch.setattr(portal.house.log._writer, "_clock", clock, raising=False)
    for month, looks in ((9, 7), (10, 1234)):
        clock.now = datetime(2026, month, 15, tzinfo=UTC)
        portal.house.log.append_all([an_access(organisation=FIRST) for _ in range(looks)])
        portal.house.log.append_all([an_access(organisation=SECOND, outcome="denied") for _ in range(3)])
    clock.now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    yield portal
    portal.close()


def test_everybody_reads_the_newest_month_without_signing_in(counted: FakePortal) -> None:
    page = counted.client().get("/transparency")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "In October 2026 officials looked at people’s data at least 1,234 times." in text
    assert "Social Insurance Board" in text
    assert "Tax and Customs Board" not in text, "fewer than five are not published, nor that there were any"


def test_another_month_can_be_chosen_and_an_unknown_one_is_not_there(counted: FakePortal) -> None:
    client = counted.client()
    assert "In September 2026" in client.get("/transparency?month=2026-09").get_data(as_text=True)
    for month in ("2026-11", "2027-01", "x", "", "2026-09%00"):
        assert client.get(f"/transparency?month={month}").status_code == 404


def test_the_files_say_what_the_page_says(counted: FakePortal) -> None:
    client = counted.client()
    lines = list(csv.DictReader(io.StringIO(client.get("/transparency.csv").get_data(as_text=True))))
    assert [(line["month"], line["organisation"], line["looks-by-people"]) for line in lines] == [
        ("2026-10", FIRST, "1234"),
        ("2026-09", FIRST, "7"),
    ]
    assert {line["refused-attempts"] for line in lines} == {""}
    whole = client.get("/transparency.json").get_json()
    assert whole["fewer_than"] == 5
    assert [month["totals"]["looks-by-people"] for month in whole["months"]] == [1234, 7]
    assert whole["months"][0]["organisations"][0]["refused-attempts"] is None


def test_the_checkpoint_in_the_file_is_signed_by_the_key_beside_it(counted: FakePortal) -> None:
    whole = counted.client().get("/transparency.json").get_json()
    verifier = verifier_from_vkey(whole["log_key"])
    kept = open_checkpoint(whole["checkpoint"], verifier.name, [verifier])
    assert kept.checkpoint.size >= 1247
