"""The public statistics as page, CSV and JSON: the same figures, for everybody, under a checkpoint that can be kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.checkpoint import open_checkpoint
from audit.note import verifier_from_vkey
from portal.domain.disputes import DisputeState, Ruling
from portal.models.base import Base
from tests.factories.apps import FakePortal
from tests.factories.logs import TickingClock, an_access
from tests.factories.proceedings import a_dispute, a_seal, an_emergency, keep

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


def test_what_people_contested_and_what_was_watched_is_said_on_the_page_and_in_the_files(counted: FakePortal) -> None:
    """Four withdrawn disputes and the seal in force are in neither; the sums are those of what is published."""
    october, by = datetime(2026, 10, 14, tzinfo=UTC), counted.accounts["detective"]
    closed = {"closed_at": october, "state": DisputeState.DECIDED}
    opened = october - timedelta(days=9)
    rows: list[Base] = [
        *(a_dispute(opened, FIRST, ruling=Ruling.UPHELD, **closed) for _ in range(6)),
        *(a_dispute(opened, FIRST, ruling=Ruling.REFUSED, **closed) for _ in range(5)),
        *(a_dispute(opened, FIRST, state=DisputeState.WITHDRAWN, closed_at=october) for _ in range(4)),
        *(an_emergency(by, opened, FIRST, reviewed_at=opened) for _ in range(7)),
        *(a_seal(by, opened, FIRST, lifted_at=october) for _ in range(5)),
        a_seal(by, opened, FIRST),
    ]
    keep(counted.house.safeguards.seals._sessions, rows)
    page = counted.client().get("/transparency").get_data(as_text=True)
    assert "At least 11 disputes ended, and in 6 the person was right." in " ".join(page.split())
    assert "Half of the answers came within 14 days." in page
    assert "At least 5 seals ended" in page
    line = next(csv.DictReader(io.StringIO(counted.client().get("/transparency.csv").get_data(as_text=True))))
    said = {
        "emergencies-reviewed-in-time": "7",
        "emergencies-not-reviewed-in-time": "",
        "seals-ended": "5",
        "disputes-upheld": "6",
        "disputes-refused": "5",
        "disputes-withdrawn": "",
        "break-glass-at-least": "7",
        "contested-at-least": "11",
        "half-of-answers-within-days": "14",
    }
    assert {name: line[name] for name in said} == said
    first = counted.client().get("/transparency.json").get_json()["months"][0]
    plain = {name: int(value) if value else None for name, value in said.items()}
    assert {name: first["organisations"][0][name] for name in said} == plain
    assert {name: first["totals"][name] for name in said} == {name: value or 0 for name, value in plain.items()}


def test_the_checkpoint_in_the_file_is_signed_by_the_key_beside_it(counted: FakePortal) -> None:
    whole = counted.client().get("/transparency.json").get_json()
    verifier = verifier_from_vkey(whole["log_key"])
    kept = open_checkpoint(whole["checkpoint"], verifier.name, [verifier])
    assert kept.checkpoint.size >= 1247
