"""What a seal withholds is not in the bundle, and the bundle tells nobody that anything is withheld."""

from __future__ import annotations

import io
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from audit.keys import load_signer
from audit.log import LoggedAccess, TrailQuery
from audit.verify import verify_receipt
from portal.domain.actions import Action
from tests.factories.bundles import bundle_of
from tests.factories.people import JUHAN, MARY
from tests.unit.portal.web.test_seals import REASON, Station, _build, _ordinary_looks, _reopened, station

__all__ = ["station"]

#: What differs between any two makings: keys, digests, signatures, ids, and when the log took an entry.
_RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9+/]{43,}=*"
    r'|(?<="logged_at":)"[^"]*"|(?<="time":)\d+|(?<="time_ms":)\d+|(?<=,)[0-9T:.-]{23}\+00:00(?=,(own|human|check))'
)


def _tellable(files: dict[str, bytes]) -> dict[str, str]:
    """All that can be told from a bundle, without what is random in any two; of the report its words."""
    files = dict(files)
    report = PdfReader(io.BytesIO(files.pop("report.pdf")))
    words = "\n".join(page.extract_text() for page in report.pages)
    return {name: _RANDOM.sub("#", content.decode()) for name, content in files.items()} | {"report": words}


def test_two_worlds_that_differ_only_in_whom_the_seal_is_about_give_her_the_same_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _build(tmp_path / "one", monkeypatch)
    _ordinary_looks(first, 3)
    first.portal.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    seen = []
    for folder, subject in (("one", MARY), ("two", JUHAN)):
        world = _reopened(first, tmp_path / folder, monkeypatch)
        assert world.register(personal_code=subject.reveal()).status_code == 303
        for _ in range(3):
            assert world.open_under(world.seals[-1]).status_code == 200
        made = bundle_of(world.portal)
        seen.append((_tellable(made), {name: len(content) for name, content in made.items() if name != "report.pdf"}))
        world.portal.close()
    assert len([name for name in seen[0][0] if name.startswith("receipts/")]) > 3
    assert seen[0] == seen[1]


def test_while_the_seal_is_in_force_no_word_of_it_is_in_the_bundle(station: Station) -> None:
    _ordinary_looks(station, 3)
    seal = station.sealed()
    withheld = {item.seq for item in _under(station, seal)}
    made = bundle_of(station.portal)
    files = _tellable(made)
    for secret in (seal, "criminal", "K-7", "KV-14/2026", "Police", "seal-order", REASON):
        assert not [name for name, content in files.items() if secret in content and name != "verify.html"], secret
    told = {row["entry"] for row in json.loads(made["accesses.json"])["accesses"]}
    assert withheld
    assert not told & withheld
    assert not {f"receipts/{entry}.txt" for entry in withheld} & made.keys()


def test_once_it_has_ended_the_bundle_tells_and_proves_what_was_withheld(station: Station) -> None:
    seal = station.sealed()
    withheld = {item.seq for item in _under(station, seal)}
    station.clock.now += timedelta(days=40)
    made = bundle_of(station.portal)
    rows = [row for row in json.loads(made["accesses.json"])["accesses"] if row["withheld"]]
    assert {row["withheld"]["withheld_entry"] for row in rows} == withheld
    assert {row["withheld"]["order"] for row in rows} == {"KV-14/2026"}
    verifier = load_signer(station.portal.settings.audit.signing_key_file).verifier()
    for row in rows:
        revealing = verify_receipt(made[row["receipt"]], [verifier]).access
        revealed = verify_receipt(made[row["withheld"]["receipt"]], [verifier])
        assert revealing is not None
        assert revealed.access is not None
        assert (revealing.action, revealed.access.seal) == (Action.SEAL_REVEAL, seal)
        assert revealed.index == revealing.details["refers-to"]


def _under(station: Station, seal: str) -> list[LoggedAccess]:
    return station.portal.house.log.read(TrailQuery(subject=MARY.subject, seal=seal)).items
