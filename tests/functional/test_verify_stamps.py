"""The checking page and RFC 3161 time stamps: it says which authority and when, and finds each that does not hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Page, expect

from audit.errors import AuditError
from audit.keys import load_signer
from audit.manifest import STAMP, verify_export
from audit.note import Signer
from portal.services.exporting.formats import ExportFormat
from portal.services.exporting.stamping import TimeStampAuthority
from portal.services.exports import Exports
from portal.services.officials import OfficialNames
from portal.services.oversight import TrailSearch
from portal.services.pseudonyms import Pseudonyms
from portal.web.verify import FILE
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import an_auditor
from tests.factories.proofs import packed
from tests.fakes.time_stamping import TimeStamping, time_stamping

pytestmark = pytest.mark.browser

KEYS = {"rsa": ("-newkey", "rsa:2048"), "ecdsa": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")}
VERDICT = "#verdict .verdict"


@dataclass(frozen=True)
class Stamped:
    """A bundle with a stamp, another one's stamp, and what is needed to check them."""

    files: Mapping[str, bytes]
    other: bytes
    log: Signer
    exports: Signer
    authority: TimeStamping
    folder: Path

    def with_stamp(self, stamp: bytes) -> bytes:
        return packed({**self.files, STAMP: stamp})

    def is_refused_by_the_command_line(self, content: bytes) -> bool:
        path = self.folder / "bundle.zip"
        path.write_bytes(content)
        roots = x509.load_pem_x509_certificates(self.authority.root.read_bytes())
        try:
            verify_export(path, [self.log.verifier()], [self.exports.verifier()], authorities=roots)
        except AuditError:
            return True
        return False


@pytest.fixture(scope="module", params=KEYS)
def stamped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stamped]:
    folder = tmp_path_factory.mktemp("stamped")
    with time_stamping(folder / "authority", KEYS[request.param]) as authority:
        house = FakeHouse.build(folder, f"sqlite:///{folder / 'log.db'}", "sqlite://")
        house.log.append(an_access())
        signer = load_signer(folder / "keys" / "export.key")
        roots = x509.load_pem_x509_certificates(authority.root.read_bytes())
        stamping = TimeStampAuthority(authority.url, roots)
        pseudonyms = Pseudonyms(OfficialNames("master"), "master")
        exports = Exports(house.log, house.oversight, signer, house.clock, pseudonyms, authority=stamping)
        first, second = (_files(exports) for _ in range(2))
        log_signer = load_signer(house.home.settings.signing_key)
        yield Stamped(first, second[STAMP], log_signer, signer, authority, folder)
        house.close()


def _files(exports: Exports) -> dict[str, bytes]:
    wanted = TrailSearch(action="read")
    made = exports.export(an_auditor(), wanted, ExportFormat.COURT, reason="Evidence in a case", request_id="r")
    with zipfile.ZipFile(io.BytesIO(b"".join(made.chunks))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def saved(page: Page, stamped: Stamped) -> Page:
    page.goto(FILE.as_uri())
    page.get_by_label("Public key of the log").fill(stamped.log.vkey)
    page.get_by_text("Auditors: the key for exports").click()
    page.get_by_label("Public key for exports").fill(stamped.exports.vkey)
    return page


def _check(page: Page, content: bytes) -> tuple[str | None, str | None]:
    page.evaluate("show(null)")
    page.locator("#file").set_input_files({"name": "b.zip", "mimeType": "application/zip", "buffer": content})
    shown = page.locator(VERDICT)
    shown.wait_for()
    return shown.get_attribute("data-verdict"), shown.get_attribute("data-reason")


def test_a_stamp_that_holds_is_told_with_its_authority_its_time_and_what_is_left_to_the_reader(
    saved: Page, stamped: Stamped
) -> None:
    assert _check(saved, stamped.with_stamp(stamped.files[STAMP])) == ("true", "export")
    details = saved.locator("#details")
    expect(details).to_contain_text("Authority, Time Office saw this manifest at")
    expect(details).to_contain_text("anybody can make one in any name")
    certificate = x509.load_pem_x509_certificate((stamped.authority.folder / "tsa.pem").read_bytes())
    expect(details).to_contain_text(certificate.fingerprint(SHA256()).hex())
    assert saved.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_stamp_that_does_not_hold_makes_the_bundle_false_as_it_does_on_the_command_line(
    saved: Page, stamped: Stamped
) -> None:
    good = stamped.files[STAMP]
    year = good.index(b"202")  # of genTime, the first time that stands in the answer
    cases = {
        "another bundle's": (stamped.other, "stamp-other"),
        "another time": (good[:year] + b"203" + good[year + 3 :], "stamp-unsigned"),
        "another signature": (good[:-1] + bytes([good[-1] ^ 1]), "stamp-unsigned"),
        "cut off": (good[:-1], "stamp-damaged"),
        "with something behind it": (good + b"\0", "stamp-damaged"),
        "no stamp at all": (b"Dear Sir", "stamp-damaged"),
        "nothing": (b"", "stamp-damaged"),
    }
    found = {name: _check(saved, stamped.with_stamp(stamp)) for name, (stamp, _) in cases.items()}
    assert found == {name: ("false", reason) for name, (_, reason) in cases.items()}
    for name, (stamp, _) in cases.items():
        assert stamped.is_refused_by_the_command_line(stamped.with_stamp(stamp)), name


def test_no_changed_byte_of_a_stamp_passes_the_check(saved: Page, stamped: Stamped) -> None:
    """What a stamp says and who signed it: a change anywhere is found, or touches only what nobody signs."""
    passed = saved.evaluate(
        """async ([stamp, manifest]) => {
          const [bytes, content] = [Uint8Array.from(stamp), Uint8Array.from(manifest)];
          const { time, fingerprint } = await checkStamp(bytes, content);
          const passed = [];
          for (let at = 0; at < bytes.length; at += 3) {
            const changed = bytes.slice();
            changed[at] ^= 1;
            try {
              const found = await checkStamp(changed, content);
              if (found.time !== time || found.fingerprint !== fingerprint) passed.push(at);
            } catch (error) {
              if (!(error instanceof Finding)) passed.push([at, String(error)]);
            }
          }
          return passed;
        }""",
        [list(stamped.files[STAMP]), list(stamped.files["manifest.txt"])],
    )
    assert passed == []
