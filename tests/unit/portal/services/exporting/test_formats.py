"""Every format of an export tells the same as the log, in the form that its own readers take."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fhir.resources.bundle import Bundle

from audit.errors import AuditError
from audit.keys import load_signer
from audit.log import TrailQuery
from audit.manifest import ExportVerdict, verify_export
from audit.portable import COLUMNS
from portal.domain.actions import Action
from portal.services.exporting.formats import FILES, ExportFormat
from portal.services.exporting.maker import MADE_BY
from portal.services.exports import NamesNeedReason
from portal.services.officials import OfficialNames
from portal.services.oversight import TrailSearch
from portal.services.pseudonyms import Pseudonyms
from tests.factories.houses import FakeHouse
from tests.factories.logs import NOON, an_access
from tests.factories.people import an_auditor


@pytest.fixture
def filled(house: FakeHouse) -> FakeHouse:
    for number in range(3):
        house.log.append(an_access(case=f"C-{number}", details={"rows": number, "large": 2**40, "note": "a"}))
    house.log.append(an_access(official=None, official_name=None, role=None, automatic=True, outcome="failed"))
    erased = house.log.append(an_access(justification="Written about the wrong person", subject="EE37605030299"))
    house.log.erase_entries([erased.seq], basis="GDPR Article 17(1)(d)")
    return house


def _made(house: FakeHouse, form: ExportFormat, reason: str | None = "Evidence in a case") -> bytes:
    made = house.exports.export(an_auditor(), TrailSearch(), form, reason=reason, request_id="1" * 16)
    return b"".join(made.chunks)


def _verdict(house: FakeHouse, made: bytes) -> ExportVerdict:
    path = house.folder / "export.zip"
    path.write_bytes(made)
    export_key = load_signer(house.folder / "keys" / "export.key").verifier()
    return verify_export(path, [house.home.verifier], [export_key])


def _file(made: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return archive.read(name)


def _rows(house: FakeHouse) -> list[dict[str, object]]:
    return [json.loads(line) for line in _file(_made(house, ExportFormat.JSONL), "trail.jsonl").splitlines()]


@pytest.mark.parametrize("form", ExportFormat)
def test_an_export_verifies_offline_and_names_who_made_it(filled: FakeHouse, form: ExportFormat) -> None:
    verdict = _verdict(filled, _made(filled, form))
    assert (verdict.form, verdict.entries) == (form, 7)
    assert verdict.made_by == "account-auditor auditor data-protection-inspectorate Aita Audiitor"
    assert verdict.proved == (form is ExportFormat.COURT)


def test_parquet_holds_every_value_exactly(filled: FakeHouse) -> None:
    exact = _rows(filled)
    table = pq.read_table(io.BytesIO(_file(_made(filled, ExportFormat.PARQUET), "trail.parquet")))
    assert tuple(table.column_names) == (*COLUMNS, *MADE_BY)
    for row, found in zip(exact, table.to_pylist(), strict=False):
        details = None if found["details"] is None else json.loads(found["details"])
        moments = {name: _instant(found[name]) for name in ("logged_at", "occurred_at")}
        assert found | moments | {"details": details} == row | {"export_id": found["export_id"]}


def _lines(made: bytes, form: ExportFormat) -> list[dict[str, object]]:
    content = _file(made, FILES[form][0])
    if form is ExportFormat.PARQUET:
        return list(pq.read_table(io.BytesIO(content)).to_pylist())
    if form is ExportFormat.CSV:
        return list(csv.DictReader(io.StringIO(content.decode())))
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL, ExportFormat.PARQUET])
def test_each_row_says_who_made_the_export_and_where_the_log_has_it(filled: FakeHouse, form: ExportFormat) -> None:
    """Rows are copied out of files: the manifest stays behind, who made them does not."""
    lines = _lines(_made(filled, form, None), form)
    [entry] = filled.log.read(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))).items
    [(by, number)] = {(line["exported_by"], line["export_id"]) for line in lines}
    pseudonym, role, organisation = str(by).split()
    assert (role, organisation, number) == ("auditor", "data-protection-inspectorate", str(entry.seq))
    assert pseudonym not in {"account-auditor", "Aita"}


@pytest.mark.parametrize("form", FILES)
def test_without_a_reason_an_export_shows_pseudonyms_that_are_the_same_in_every_export(
    filled: FakeHouse, form: ExportFormat
) -> None:
    filled.log.append(an_access(action="supervision-look", subject=None, details={"account": "official-1"}))
    content = _file(_made(filled, form, None), FILES[form][0])
    if form is ExportFormat.PARQUET:
        content = str(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
    for identity in (b"38001085718", b"official-1", b"Mari Maasikas", b"account-auditor", b"Aita"):
        assert identity not in content, identity
    pseudonyms = Pseudonyms(OfficialNames("master"), "master")
    assert pseudonyms.person("EE38001085718").encode() in content
    assert pseudonyms.official("official-1", "social-insurance").encode() in content


def test_an_export_with_pseudonyms_tells_the_same_otherwise(filled: FakeHouse) -> None:
    hidden = _lines(_made(filled, ExportFormat.JSONL, None), ExportFormat.JSONL)
    shown = _rows(filled)
    people = {"subject": None, "official": None, "official_name": None, "export_id": None, "exported_by": None}
    assert [row | people for row in hidden[:6]] == [row | people for row in shown[:6]]


def test_the_reason_for_names_stands_in_the_log_and_a_court_gets_none_without(filled: FakeHouse) -> None:
    _made(filled, ExportFormat.CSV, "The prosecutor asked for it")
    [entry] = filled.log.read(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))).items
    assert entry.access is not None
    assert entry.access.justification == "The prosecutor asked for it"
    assert entry.access.details["names"] == "shown"
    with pytest.raises(NamesNeedReason):
        _made(filled, ExportFormat.COURT, None)
    assert filled.log.count(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))) == 1


def test_fhir_is_a_bundle_that_the_published_model_of_r5_takes(filled: FakeHouse) -> None:
    text = _file(_made(filled, ExportFormat.FHIR), "trail.fhir.json").decode()
    bundle = Bundle.model_validate_json(text)
    events = [entry.resource for entry in bundle.entry]
    assert [event.id for event in events] == [f"entry-{seq}" for seq in range(7)]
    first, automatic, erased = events[0], events[3], events[4]
    assert first.recorded is not None
    assert first.outcome.code.code == "success"
    assert first.entity[0].what.identifier.value == "EE38001085718"
    assert first.basedOn[0].identifier.value == "C-0"
    assert first.occurredDateTime == NOON
    told = {detail.type.text for detail in first.entity[0].detail}
    assert {"justification", "field", "rows", "large", "automatic"} <= told
    assert (automatic.outcome.code.code, automatic.agent[0].requestor) == ("error", False)
    assert erased.code.extension[0].valueCode == "masked"
    assert "wrong person" not in text


def test_an_empty_bundle_is_a_bundle(house: FakeHouse) -> None:
    found = TrailSearch(case="none")
    made = b"".join(house.exports.export(an_auditor(), found, ExportFormat.FHIR, request_id="r").chunks)
    assert not Bundle.model_validate_json(_file(made, "trail.fhir.json")).entry
    assert _verdict(house, made).entries == 0


@pytest.mark.parametrize("form", [ExportFormat.PARQUET, ExportFormat.COURT])
def test_a_changed_byte_anywhere_is_found(house: FakeHouse, form: ExportFormat, tmp_path: Path) -> None:
    """Every byte of the packing, of the manifest and the seal; in the files some, since each has a digest."""
    house.log.append(an_access())
    made = _made(house, form)
    packing = _places_between_contents(made)
    for at in [*packing, *range(0, len(made), 10 if form is ExportFormat.PARQUET else 97)]:
        with pytest.raises(AuditError):
            _verdict(house, made[:at] + bytes([made[at] ^ 0x01]) + made[at + 1 :])


def _places_between_contents(made: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        inside: set[int] = set()
        for info in archive.infolist():
            begin = info.header_offset + 30 + len(info.filename)
            inside |= set(range(begin, begin + info.compress_size))
    return [at for at in range(len(made)) if at not in inside]


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
