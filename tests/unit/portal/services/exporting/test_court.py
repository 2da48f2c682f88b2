"""The bundle for a court: proofs, a report that can be read by everybody, and a time stamp where one can be had."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from pypdf import PdfReader

from audit.__main__ import main
from audit.errors import VerificationFailed
from audit.keys import load_signer
from audit.manifest import verify_export
from portal.services.exporting.court import MAXIMUM_ENTRIES
from portal.services.exporting.formats import ExportFormat
from portal.services.exporting.stamping import NoTimeStamp, TimeStampAuthority
from portal.services.exports import Exports, TooManyForCourt
from portal.services.officials import OfficialNames
from portal.services.oversight import TrailSearch
from portal.services.pseudonyms import Pseudonyms
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import an_auditor
from tests.fakes.time_stamping import TimeStamping, time_stamping

HOSTILE = '#panic("run") *bold* <script> $x$ \\ "quoted" \u202e'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStamping]:
    with time_stamping(tmp_path_factory.mktemp("tsa") / "authority") as running:
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "authority" in request.fixturenames:
        authority = request.getfixturevalue("authority")
        authority.status, authority.answer = 200, None


def _exports(house: FakeHouse, authority: TimeStamping | None = None) -> Exports:
    roots = [] if authority is None else x509.load_pem_x509_certificates(authority.root.read_bytes())
    signer = load_signer(house.folder / "keys" / "export.key")
    stamping = None if authority is None else TimeStampAuthority(authority.url, roots)
    pseudonyms = Pseudonyms(OfficialNames("master"), "master")
    return Exports(house.log, house.oversight, signer, house.clock, pseudonyms, authority=stamping)


def _bundle(house: FakeHouse, authority: TimeStamping | None = None) -> Path:
    export = _exports(house, authority).export(
        an_auditor(), TrailSearch(), ExportFormat.COURT, reason="Evidence in a case", request_id="r1"
    )
    path = house.folder / "bundle.zip"
    path.write_bytes(b"".join(export.chunks))
    return path


def test_the_report_is_tagged_and_says_what_the_entries_say_word_for_word(house: FakeHouse) -> None:
    house.log.append(an_access(justification=HOSTILE))
    with zipfile.ZipFile(_bundle(house)) as archive:
        report = PdfReader(io.BytesIO(archive.read("report.pdf")))
    text = " ".join(page.extract_text() for page in report.pages)
    assert report.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert report.trailer["/Root"]["/StructTreeRoot"]
    assert report.trailer["/Root"]["/Lang"] == "en"
    assert '#panic("run") *bold* <script> $x$' in " ".join(text.split())
    assert "Entry 0" in text
    assert "Aita Audiitor" in text


def test_every_receipt_can_be_checked_by_itself(house: FakeHouse, capsys: pytest.CaptureFixture[str]) -> None:
    house.log.append(an_access(case="C-7"))
    with zipfile.ZipFile(_bundle(house)) as archive:
        archive.extract("receipts/0.txt", house.folder)
        keys = archive.read("keys.txt").decode()
        [line] = [line for line in archive.read("entries.jsonl").splitlines() if b"C-7" in line]
    assert house.home.verifier.vkey in keys
    assert json.loads(line)["case"] == "C-7"
    assert main(["check-receipt", str(house.folder / "receipts" / "0.txt"), "--vkey", house.home.verifier.vkey]) == 0
    assert "case: C-7" in capsys.readouterr().out


def test_a_time_stamp_dates_the_manifest_for_us_and_for_openssl(house: FakeHouse, authority: TimeStamping) -> None:
    house.log.append(an_access())
    path = _bundle(house, authority)
    export_key = load_signer(house.folder / "keys" / "export.key").verifier()
    roots = x509.load_pem_x509_certificates(authority.root.read_bytes())
    verdict = verify_export(path, [house.home.verifier], [export_key], authorities=roots)
    assert verdict.stamped_at is not None
    assert datetime.now(UTC) - verdict.stamped_at < timedelta(minutes=5)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(house.folder / "bundle")
    said = subprocess.run(
        ["openssl", "ts", "-verify", "-data", "manifest.txt", "-in", "manifest.tsr", "-CAfile", str(authority.root)],
        cwd=house.folder / "bundle", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "Verification: OK" in said.stdout + said.stderr


def test_a_stamp_that_is_not_checked_is_not_believed_and_one_of_a_stranger_is_refused(
    house: FakeHouse, authority: TimeStamping, tmp_path: Path
) -> None:
    house.log.append(an_access())
    path = _bundle(house, authority)
    export_key = load_signer(house.folder / "keys" / "export.key").verifier()
    verdict = verify_export(path, [house.home.verifier], [export_key])
    assert (verdict.has_stamp, verdict.stamped_at) == (True, None)
    with time_stamping(tmp_path / "stranger") as stranger:
        roots = x509.load_pem_x509_certificates(stranger.root.read_bytes())
        with pytest.raises(VerificationFailed, match="time stamp"):
            verify_export(path, [house.home.verifier], [export_key], authorities=roots)


@pytest.mark.parametrize("fault", ["refusal", "no stamp", "a stamp of something else", "nobody there"])
def test_without_a_stamp_that_holds_no_stamped_bundle_is_made(
    house: FakeHouse, authority: TimeStamping, fault: str
) -> None:
    house.log.append(an_access())
    stale = _bundle(house, authority)
    if fault == "refusal":
        authority.status = 503
    elif fault == "no stamp":
        authority.answer = b"<html>Please sign in</html>"
    elif fault == "a stamp of something else":
        with zipfile.ZipFile(stale) as archive:
            authority.answer = archive.read("manifest.tsr")
    elsewhere = TimeStamping(authority.folder, url="http://127.0.0.1:9/") if fault == "nobody there" else authority
    with pytest.raises(NoTimeStamp):
        _bundle(house, elsewhere)


def test_of_too_many_entries_none_is_made(house: FakeHouse) -> None:
    house.log.append_all([an_access()] * (MAXIMUM_ENTRIES + 1))
    exports = _exports(house)
    with pytest.raises(TooManyForCourt):
        exports.is_made_at_once(TrailSearch(), ExportFormat.COURT)
    with pytest.raises(TooManyForCourt):
        exports.make(an_auditor(), TrailSearch(), ExportFormat.COURT)
