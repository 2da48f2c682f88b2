"""An auditor's searches and exports find what is there, and are themselves in the log before anything is shown."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.keys import load_signer
from audit.log import Acknowledgement, TrailQuery
from audit.manifest import verify_export
from audit.portable import COLUMNS
from portal.domain.actions import Action
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.services.exporting.formats import FILES, ExportFormat
from portal.services.exporting.maker import MADE_BY
from portal.services.oversight import TrailSearch
from portal.services.spreadsheets import neutralised
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY, an_auditor


@pytest.fixture
def filled(house: FakeHouse) -> FakeHouse:
    house.log.append_all(
        [an_access(subject=MARY.subject, official=f"official-{number % 3}") for number in range(60)]
        + [an_access(subject=JUHAN.subject, organisation="police", case="C-9", outcome="denied")]
    )
    return house


def test_a_search_shows_a_page_and_the_number_of_all(filled: FakeHouse) -> None:
    page = filled.oversight.search(an_auditor(), TrailSearch(official="official-1"), request_id="r1")
    assert page.total == 21  # twenty of the noise, and Juhan's caseworker, who is official-1 as well
    assert page.older is None
    assert {entry.access.official for entry in page.entries if entry.access} == {"official-1"}


def test_pages_follow_each_other_by_reference(filled: FakeHouse) -> None:
    wanted = TrailSearch(subject=MARY, action="read")
    first = filled.oversight.search(an_auditor(), wanted, request_id="r1")
    second = filled.oversight.search(an_auditor(), wanted, before=first.older, request_id="r2")
    assert [entry.logged.seq for entry in (*first.entries, *second.entries)] == list(range(59, -1, -1))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TrailSearch(organisation="police"), 1),
        (TrailSearch(case="C-9"), 1),
        (TrailSearch(outcome="denied"), 1),
        (TrailSearch(subject=JUHAN, action="read"), 1),
        (TrailSearch(purpose="none"), 0),
        (TrailSearch(registry="population"), 61),
        (TrailSearch(role="caseworker"), 61),
        (TrailSearch(role="auditor"), 1),
        (TrailSearch(field="population.address"), 61),
        (TrailSearch(field="health.address"), 0),
        (TrailSearch(automatic=True), 0),
        (TrailSearch(break_glass=False, sealed=False), 62),
        (TrailSearch(break_glass=True), 0),
        (TrailSearch(sealed=True), 0),
        (TrailSearch(action="read"), 61),
        (TrailSearch(since=date(2026, 3, 2), until=date(2026, 3, 2), action="read"), 61),
        (TrailSearch(until=date(2026, 3, 1)), 0),
    ],
)
def test_each_criterion_narrows_the_search(filled: FakeHouse, wanted: TrailSearch, found: int) -> None:
    assert filled.oversight.search(an_auditor(), wanted, request_id="r1").total == found


def test_a_search_is_an_entry_about_the_person_searched_for_and_repeats_no_criterion(filled: FakeHouse) -> None:
    filled.oversight.search(an_auditor(), TrailSearch(subject=MARY, case="C-1"), request_id="r1")
    entry = filled.log.read(TrailQuery(actions=frozenset({Action.TRAIL_SEARCH}))).items[0].access
    assert entry is not None
    assert (entry.subject, entry.official, entry.purpose) == (MARY.subject, "account-auditor", "oversight")
    assert entry.case is None
    assert len(str(entry.details["query-sha256"])) == 64


def test_what_cannot_be_recorded_is_not_searched_nor_exported(
    filled: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(accesses: Sequence[Access]) -> list[Acknowledgement]:
        raise LogUnavailable("no disk")

    first = filled.oversight.search(an_auditor(), TrailSearch(), request_id="r1").entries[0]
    monkeypatch.setattr(filled.log, "append_all", fail)
    with pytest.raises(DisclosureUnavailable):
        filled.oversight.search(an_auditor(), TrailSearch(), request_id="r1")
    with pytest.raises(DisclosureUnavailable):
        filled.oversight.entry(an_auditor(), first.reference, request_id="r1")
    with pytest.raises(DisclosureUnavailable):
        filled.exports.export(an_auditor(), TrailSearch(), ExportFormat.CSV, request_id="r1")


def test_opening_one_entry_is_an_entry_about_the_same_person(filled: FakeHouse) -> None:
    found = filled.oversight.search(an_auditor(), TrailSearch(case="C-9"), request_id="r1").entries[0]
    opened = filled.oversight.entry(an_auditor(), found.reference, request_id="r2")
    assert opened.access == found.access
    look = filled.log.read(TrailQuery(actions=frozenset({Action.TRAIL_SEARCH}))).items[0].access
    assert look is not None
    assert (look.subject, look.details["entry"]) == (JUHAN.subject, found.logged.seq)


def test_anothers_reference_opens_nothing(filled: FakeHouse) -> None:
    found = filled.oversight.search(an_auditor(), TrailSearch(), request_id="r1").entries[0]
    with pytest.raises(NothingHere):
        filled.oversight.entry(an_auditor("another"), found.reference, request_id="r2")
    with pytest.raises(NothingHere):
        filled.oversight.receipt(an_auditor("another"), found.reference, with_body=True)


def test_an_auditors_receipt_never_carries_the_persons_label_key(filled: FakeHouse) -> None:
    found = filled.oversight.search(an_auditor(), TrailSearch(subject=MARY), request_id="r1").entries[-1]
    assert filled.oversight.receipt(an_auditor(), found.reference, with_body=True).label_key is None


def _exported(house: FakeHouse, wanted: TrailSearch, form: ExportFormat) -> Path:
    export = house.exports.export(an_auditor(), wanted, form, reason="Evidence in a case", request_id="r1")
    path = house.folder / export.filename
    path.write_bytes(b"".join(export.chunks))
    return path


@pytest.mark.parametrize("form", ExportFormat)
def test_an_export_holds_what_the_search_finds_and_verifies_offline(filled: FakeHouse, form: ExportFormat) -> None:
    path = _exported(filled, TrailSearch(subject=MARY), form)
    export_key = load_signer(filled.folder / "keys" / "export.key").verifier()
    verdict = verify_export(path, [filled.home.verifier], [export_key])
    assert verdict.entries == 61  # with the entry of this export itself
    assert verdict.size == filled.log.checkpoint().checkpoint.size


def test_csv_and_json_lines_tell_the_same(filled: FakeHouse) -> None:
    wanted = TrailSearch(case="C-9")
    with zipfile.ZipFile(_exported(filled, wanted, ExportFormat.JSONL)) as archive:
        exact = [json.loads(line) for line in archive.read("trail.jsonl").splitlines()]
    with zipfile.ZipFile(_exported(filled, wanted, ExportFormat.CSV)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("trail.csv").decode())))
    assert [set(row) for row in (*exact, *rows)] == [{*COLUMNS, *MADE_BY}] * 2
    assert rows[0]["seq"] == str(exact[0]["seq"])
    assert rows[0]["fields"] == " ".join(exact[0]["fields"])
    assert exact[0]["subject"] == JUHAN.subject


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised_in_csv_and_exact_in_json(
    house: FakeHouse, start: str
) -> None:
    attack = f'{start}HYPERLINK("http://evil.example","x")'
    house.log.append(an_access(case=attack))
    with zipfile.ZipFile(_exported(house, TrailSearch(action="read"), ExportFormat.CSV)) as archive:
        row = next(csv.DictReader(io.StringIO(archive.read("trail.csv").decode(), newline="")))
    assert row["case"] == f"'{attack}"
    with zipfile.ZipFile(_exported(house, TrailSearch(action="read"), ExportFormat.JSONL)) as archive:
        assert json.loads(archive.read("trail.jsonl").splitlines()[0])["case"] == attack


def test_an_ordinary_cell_stays_as_it_is() -> None:
    assert neutralised("C-1") == "C-1"
    assert neutralised("") == ""


def test_an_export_is_complete_under_its_checkpoint_while_entries_are_added(filled: FakeHouse) -> None:
    export = filled.exports.export(an_auditor(), TrailSearch(), ExportFormat.JSONL, request_id="r1")
    filled.log.append_all([an_access() for _ in range(700)])
    path = filled.folder / export.filename
    path.write_bytes(b"".join(export.chunks))
    with zipfile.ZipFile(path) as archive:
        numbers = [json.loads(line)["seq"] for line in archive.read("trail.jsonl").splitlines()]
    assert numbers == list(range(62))
    export_key = load_signer(filled.folder / "keys" / "export.key").verifier()
    assert verify_export(path, [filled.home.verifier], [export_key]).size == 62


def _peak_of_an_export(house: FakeHouse, form: ExportFormat) -> tuple[int, int]:
    """The most memory that reading the export takes at once, in bytes, and the entries that are in it."""
    made = house.exports.export(an_auditor(), TrailSearch(), form, request_id="r1")
    archive = house.folder / made.filename
    tracemalloc.start()
    with archive.open("wb") as file:
        for chunk in made.chunks:
            file.write(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with zipfile.ZipFile(archive) as opened:
        [entries] = re.findall(rb"(?m)^entries ([0-9]+)$", opened.read("manifest.txt"))
    return peak, int(entries)


@pytest.mark.parametrize("form", FILES)
def test_an_export_takes_no_more_memory_when_there_is_more_to_export(
    house: FakeHouse, form: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.exporting.parquet._GROUP", 100)
    looks = [an_access(subject=MARY.subject, justification=f"Case {number}: " + "x" * 900) for number in range(500)]
    house.log.append_all(looks)
    few, _ = _peak_of_an_export(house, form)
    for _ in range(4):
        house.log.append_all(looks)
    many, entries = _peak_of_an_export(house, form)
    assert entries == 2_502  # with the two exports' own
    assert many < few * 1.5, f"{few:,} bytes for 500 entries, {many:,} for 2,500"
