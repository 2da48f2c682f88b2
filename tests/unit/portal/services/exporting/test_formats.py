"""Every format of an export tells the same as the log, in the form that its own readers take."""

from __future__ import annotations

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
from audit.manifest import ExportVerdict, verify_export
from audit.portable import COLUMNS
from portal.services.exporting.formats import ExportFormat
from portal.services.oversight import TrailSearch
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


def _made(house: FakeHouse, form: ExportFormat) -> bytes:
    return b"".join(house.exports.export(an_auditor(), TrailSearch(), form, request_id="1" * 16).chunks)


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
    assert tuple(table.column_names) == COLUMNS
    for row, found in zip(exact, table.to_pylist(), strict=False):
        details = None if found["details"] is None else json.loads(found["details"])
        moments = {name: _instant(found[name]) for name in ("logged_at", "occurred_at")}
        assert found | moments | {"details": details} == row


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
