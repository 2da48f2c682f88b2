"""Software that nobody here wrote verifies what Glasshouse publishes: golang.org/x/mod, which checks Go's own log.

It needs Go and its module proxy (or a module cache that has golang.org/x/mod); without them the tests say so and skip.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from audit.public import PublicLog
from audit.store import Store
from tests.factories.logs import LogHome, an_access
from tests.factories.witnesses import NearbyWitness, sending_to

SOURCE = Path(__file__).parent / "golang"
GO = shutil.which("go")

pytestmark = pytest.mark.skipif(GO is None, reason="Go is not on this machine; its own log's verifier cannot be built")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("go") / "verify"
    assert GO is not None
    built = subprocess.run(
        [GO, "build", "-o", str(program), "."], cwd=SOURCE, capture_output=True, text=True, timeout=250, check=False
    )
    if built.returncode != 0 and not _is_at_fault(built.stderr):
        pytest.skip(f"the Go module golang.org/x/mod cannot be had here: {built.stderr.strip()[-200:]}")
    assert built.returncode == 0, built.stderr
    return program


def _is_at_fault(message: str) -> bool:
    """Whether our program is wrong, rather than the proxy out of reach."""
    return "main.go" in message


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 600 entries as files, cosigned by a witness, and receipts made at different sizes."""
    folder = tmp_path_factory.mktemp("published")
    home = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")
    witness = NearbyWitness.make(folder, "witness.example", [home.verifier])
    with closing(home.open()) as log:
        for number, size in enumerate((1, 2, 255, 257, 600)):
            grown = log.append_all([an_access() for _ in range(size - log.checkpoint().checkpoint.size)])
            (folder / f"{number}.receipt").write_text(log.receipt(grown[-1].seq).text)
        log._cosigning._witnesses = (witness.address,)
        log._cosigning._send = sending_to(witness)
        log.ask_witnesses()
    store = Store(home.settings.database_url)
    PublicLog(store, [witness.signer.verifier()]).write_to(folder / "public")
    store.close()
    (folder / "log.vkey").write_text(home.verifier.vkey)
    assert "witness.example" in (folder / "public" / "checkpoint").read_text()
    return folder


def _told(verifier: Path, folder: Path, published: Path) -> subprocess.CompletedProcess[str]:
    receipts = sorted(map(str, published.glob("*.receipt")))
    command = [str(verifier), str(folder), (published / "log.vkey").read_text(), *receipts]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_gos_own_verifier_finds_the_published_log_and_its_receipts_sound(verifier: Path, published: Path) -> None:
    told = _told(verifier, published / "public", published)
    assert (told.returncode, told.stdout) == (0, "sound: 600 entries, 5 receipts\n"), told.stderr


@pytest.mark.parametrize(
    ("path", "place"),
    [("checkpoint", 30), ("tile/0/000", 40), ("tile/1/000.p/2", 5), ("tile/entries/001", 300), ("tile/0/002.p/88", 7)],
)
def test_gos_own_verifier_finds_a_flipped_bit(
    verifier: Path, published: Path, tmp_path: Path, path: str, place: int
) -> None:
    shutil.copytree(published / "public", tmp_path / "public")
    content = bytearray((tmp_path / "public" / path).read_bytes())
    content[place] ^= 1
    (tmp_path / "public" / path).write_bytes(bytes(content))
    assert _told(verifier, tmp_path / "public", published).returncode == 1
