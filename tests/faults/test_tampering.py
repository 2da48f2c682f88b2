"""What was done behind the log's back with sqlite3 is found, and the first broken entry is named."""

from __future__ import annotations

import base64
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.entry import Leaf, decode_leaf, encode_leaf, leaf_hash
from audit.errors import LogFrozen
from audit.joining import check_stretch, join_stretches
from audit.keys import generate_signing_key
from audit.merkle import CompactRange
from audit.opening import vault_of
from audit.remembered import RememberedCheckpoint
from audit.source import StoredLog
from audit.store import Store
from audit.stored import VerificationReport
from audit.tiles import HASH_SIZE, TILE_WIDTH
from tests.factories.logs import LogHome, an_access

pytestmark = pytest.mark.fault

SIZE = 300
"""More than one tile: the second level exists."""


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str) -> LogHome:
    """A log of SIZE entries: 290 in one transaction, the rest one by one."""
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append_all([an_access(subject=f"EE{number % 7}", case=f"C-{number}") for number in range(290)])
    for number in range(290, SIZE):
        log.append(an_access(case=f"C-{number}"))
    log.close()
    return home


class Intruder:
    """Somebody who owns the database: no trigger stops them."""

    def __init__(self, home: LogHome) -> None:
        self._connection = sqlite3.connect(home.database_file, isolation_level=None)
        for (trigger,) in self("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self._connection.execute(f"DROP TRIGGER {trigger}")

    def __call__(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def leaf(self, seq: int) -> bytes:
        return bytes(self("SELECT leaf FROM entries WHERE seq = ?", seq)[0][0])  # type: ignore[call-overload]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def intruder(home: LogHome) -> Iterator[Intruder]:
    intruder = Intruder(home)
    yield intruder
    intruder.close()


def _edit_leaf(intruder: Intruder, seq: int, **changes: object) -> None:
    leaf = encode_leaf(replace(decode_leaf(intruder.leaf(seq)), **changes))  # type: ignore[arg-type]
    intruder("UPDATE entries SET leaf = ? WHERE seq = ?", leaf, seq)


def _swap(intruder: Intruder, first: int, second: int) -> None:
    one, other = intruder.leaf(first), intruder.leaf(second)
    intruder("UPDATE entries SET leaf = ? WHERE seq = ?", other, first)
    intruder("UPDATE entries SET leaf = ? WHERE seq = ?", one, second)


def _insert_between(intruder: Intruder, seq: int) -> None:
    intruder("UPDATE entries SET seq = -seq - 1 WHERE seq >= ?", seq)
    intruder("UPDATE entries SET seq = -seq WHERE seq < 0")
    intruder("INSERT INTO entries (seq, leaf) VALUES (?, ?)", seq, intruder.leaf(seq - 1))


EDITS: dict[str, tuple[Callable[[Intruder], object], int]] = {
    "an edited time": (lambda do: _edit_leaf(do, 42, time_ms=1), 42),
    "an edited commitment": (lambda do: _edit_leaf(do, 42, commitment=bytes(32)), 42),
    "an edited label": (lambda do: _edit_leaf(do, 0, label=bytes(32)), 0),
    "an edited link": (lambda do: _edit_leaf(do, 42, prev=bytes(32)), 42),
    "the newest entry edited": (lambda do: _edit_leaf(do, SIZE - 1, time_ms=1), SIZE - 1),
    "an entry that is no entry": (lambda do: do("UPDATE entries SET leaf = x'7b7d' WHERE seq = 7"), 7),
    "a deleted entry": (lambda do: do("DELETE FROM entries WHERE seq = 100"), 100),
    "the first entry deleted": (lambda do: do("DELETE FROM entries WHERE seq = 0"), 0),
    "two entries swapped": (lambda do: _swap(do, 10, 20), 10),
    "an entry inserted with an old date": (lambda do: _insert_between(do, 150), 150),
    "the tail cut off": (lambda do: do("DELETE FROM entries WHERE seq >= 250"), 250),
    "everything deleted": (lambda do: do("DELETE FROM entries"), 0),
    "an entry added behind the end": (
        lambda do: do("INSERT INTO entries SELECT ?, leaf FROM entries WHERE seq = 5", SIZE),
        SIZE,
    ),
    "an entry with a negative number": (
        lambda do: do("INSERT INTO entries SELECT -1, leaf FROM entries WHERE seq = 5"),
        0,
    ),
    "a body exchanged": (
        lambda do: do("UPDATE bodies SET sealed = (SELECT sealed FROM bodies WHERE seq = 9) WHERE seq = 16"),
        16,
    ),
    "a body deleted": (lambda do: do("DELETE FROM bodies WHERE seq = 33"), 33),
    "an entry hidden from the search by organisation": (
        lambda do: do("UPDATE bodies SET organisation = 'another' WHERE seq = 34"),
        34,
    ),
    "an entry hidden from its subject": (
        lambda do: do("UPDATE bodies SET subject_index = (SELECT subject_index FROM bodies WHERE seq=1) WHERE seq=35"),
        35,
    ),
    "an entry hidden from the search by official": (
        lambda do: do("UPDATE bodies SET official_index = x'00' WHERE seq = 36"),
        36,
    ),
    "the keys of a subject deleted": (
        lambda do: do("DELETE FROM subjects WHERE subject_index = (SELECT subject_index FROM bodies WHERE seq = 3)"),
        3,
    ),
    "an erasure that no entry declares": (
        lambda do: (do("DELETE FROM bodies WHERE seq = 40"), do("INSERT INTO erasures VALUES (40, 41)")),
        40,
    ),
    "an erasure declared by an entry that was never written": (
        lambda do: (do("DELETE FROM bodies WHERE seq = 40"), do("INSERT INTO erasures VALUES (40, 4000)")),
        40,
    ),
    "a full tile changed": (
        lambda do: do("UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 0 AND tile_index = 0"),
        0,
    ),
    "a tile of the second level changed": (lambda do: do("UPDATE tiles SET hashes = zeroblob(32) WHERE level = 1"), 0),
    "a tile deleted": (lambda do: do("DELETE FROM tiles WHERE level = 0 AND tile_index = 1"), TILE_WIDTH),
    "a tile that belongs to nothing": (lambda do: do("INSERT INTO tiles VALUES (2, 0, zeroblob(32))"), SIZE),
    "a tile longer than the tree": (
        lambda do: do("UPDATE tiles SET hashes = CAST(hashes || zeroblob(32) AS BLOB) WHERE level=0 AND tile_index=1"),
        TILE_WIDTH,
    ),
    "text where bytes belong": (lambda do: do("UPDATE entries SET leaf = leaf || 'ü' WHERE seq = 8"), 8),
    "a number where bytes belong": (lambda do: do("UPDATE entries SET leaf = 99999999999 WHERE seq = 8"), 8),
    "the newest checkpoint deleted": (lambda do: do("DELETE FROM checkpoints WHERE size = ?", SIZE), SIZE - 1),
    "a checkpoint put in another's place": (
        lambda do: do("UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size=291) WHERE size = 292"),
        291,
    ),
    "a checkpoint misfiled": (lambda do: do("UPDATE checkpoints SET size = 1000 WHERE size = 295"), SIZE),
    "the head set back": (lambda do: do("UPDATE head SET size = 299"), 299),
}


#: Changes of what only the master key opens, or of what stands beside it for the search.
NEEDS_THE_KEY = {
    "a body exchanged",
    "an entry hidden from the search by organisation",
    "an entry hidden from its subject",
    "an entry hidden from the search by official",
    "the keys of a subject deleted",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_behind_the_logs_back_is_named_at_its_entry(home: LogHome, intruder: Intruder, edit: str) -> None:
    change, first_broken = EDITS[edit]
    assert home.verify().ok
    change(intruder)
    report = home.verify()
    assert not report.ok
    assert report.first_broken == first_broken, report.problem


def _by_stretches(home: LogHome) -> VerificationReport:
    """The verdict as several processes reach it, each with a stretch of one tile."""
    log = Store(home.settings.database_url)
    try:
        with log.reading() as connection:
            source = StoredLog(connection, vault_of(log, home.settings.master_key))
            end = min(source.head()[0], source.end())
            earlier = [_kept(home)]
            found = []
            for first in range(0, end, TILE_WIDTH):
                bounds = (first, min(first + TILE_WIDTH, end))
                found.append(check_stretch(source, home.settings.origin, [home.verifier], earlier, *bounds))
                if found[-1].broken is not None:
                    break
            return join_stretches(source, home.settings.origin, [home.verifier], earlier, found)
    finally:
        log.close()


def _kept(home: LogHome) -> Checkpoint:
    assert home.settings.checkpoint_file is not None
    kept = RememberedCheckpoint(home.settings.checkpoint_file, home.settings.origin, [home.verifier]).read()
    assert kept is not None
    return kept.checkpoint


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_is_named_alike_however_the_log_is_shared_among_processes(
    home: LogHome, intruder: Intruder, edit: str
) -> None:
    change, first_broken = EDITS[edit]
    whole = _by_stretches(home)
    assert (whole.ok, whole.size, whole.opened, whole.root) == (True, SIZE, SIZE, home.verify().root)
    change(intruder)
    report = _by_stretches(home)
    assert not report.ok
    assert report.first_broken == first_broken, report.problem


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_is_never_overlooked_for_speed(home: LogHome, intruder: Intruder, edit: str) -> None:
    """Without the master key whole tiles are checked at one go. What it takes the key to see may be missed, no more."""
    change, first_broken = EDITS[edit]
    change(intruder)
    report = home.verify(with_bodies=False)
    assert report.first_broken == (None if edit in NEEDS_THE_KEY else first_broken), report.problem


@pytest.mark.parametrize("seq", [0, 1, 128, 255, 256, SIZE - 1])
def test_every_single_flipped_bit_of_a_leaf_is_named(home: LogHome, intruder: Intruder, seq: int) -> None:
    leaf = intruder.leaf(seq)
    for bit in random.Random(seq).sample(range(len(leaf) * 8), 24):
        flipped = bytearray(leaf)
        flipped[bit // 8] ^= 1 << bit % 8
        intruder("UPDATE entries SET leaf = ? WHERE seq = ?", bytes(flipped), seq)
        assert home.verify(with_bodies=False).first_broken == seq
    intruder("UPDATE entries SET leaf = ? WHERE seq = ?", leaf, seq)
    assert home.verify().ok


def _recomputed(intruder: Intruder, seq: int) -> list[bytes]:
    """Change entry `seq` and compute all that follows from it anew: chain, tiles, head. Gives the new leaf hashes."""
    prev, hashes, tree = bytes(32), [], CompactRange(0, [])
    second_level: list[bytes] = []

    def visit(height: int, _index: int, node: bytes) -> None:
        if height == 8:
            second_level.append(node)

    for number in range(SIZE):
        leaf: Leaf = replace(decode_leaf(intruder.leaf(number)), prev=prev)
        if number == seq:
            leaf = replace(leaf, commitment=bytes(32))
        encoded = encode_leaf(leaf)
        intruder("UPDATE entries SET leaf = ? WHERE seq = ?", encoded, number)
        prev = leaf_hash(encoded)
        hashes.append(prev)
        tree.append(prev, visit)
    for tile in range(2):
        part = b"".join(hashes[tile * TILE_WIDTH : (tile + 1) * TILE_WIDTH])
        intruder("UPDATE tiles SET hashes = ? WHERE level = 0 AND tile_index = ?", part, tile)
    intruder("UPDATE tiles SET hashes = ? WHERE level = 1", second_level[0])
    intruder("UPDATE head SET prev = ?, frontier = ?", prev, b"".join(tree.hashes))
    assert len(second_level[0]) == HASH_SIZE
    return hashes


def test_a_change_with_everything_recomputed_is_found_by_the_signature(home: LogHome, intruder: Intruder) -> None:
    _recomputed(intruder, 295)
    report = home.verify(with_bodies=False)
    assert not report.ok
    assert report.first_broken == 295
    assert "computed again" in (report.problem or "")


def test_a_change_with_everything_signed_again_by_a_stolen_key_is_found_by_the_checkpoint_kept_outside(
    home: LogHome, intruder: Intruder
) -> None:
    from audit.keys import load_signer

    hashes = _recomputed(intruder, 295)
    signer = load_signer(home.settings.signing_key)
    tree = CompactRange(0, [])
    notes = {0: intruder("SELECT note FROM checkpoints WHERE size = 0")[0][0]}
    for node in hashes:
        tree.append(node)
        notes[tree.size] = sign_checkpoint(Checkpoint(signer.name, tree.size, tree.root()), [signer]).text
    for (size,) in intruder("SELECT size FROM checkpoints"):
        intruder("UPDATE checkpoints SET note = ? WHERE size = ?", notes[size], size)  # type: ignore[index]
    intruder("UPDATE head SET checkpoint = ?", notes[SIZE])
    assert home.verify(with_bodies=False, with_remembered=False).ok, "nothing inside the database can tell"
    report = home.verify(with_bodies=False)
    assert not report.ok
    assert "kept outside" in (report.problem or "")
    with pytest.raises(LogFrozen, match="not the ones that were signed for"):
        home.open()


def test_a_checkpoint_signed_by_another_key_is_no_checkpoint(home: LogHome, intruder: Intruder, tmp_path: Path) -> None:
    stranger = generate_signing_key(tmp_path / "stranger.key", home.settings.origin)
    note = str(intruder("SELECT note FROM checkpoints WHERE size = ?", SIZE)[0][0])
    origin, size, root, *_ = note.split("\n")
    forged = sign_checkpoint(Checkpoint(origin, int(size), base64.b64decode(root)), [stranger]).text
    intruder("UPDATE checkpoints SET note = ? WHERE size = ?", forged, SIZE)
    intruder("UPDATE head SET checkpoint = ?", forged)
    assert not home.verify().ok
    with pytest.raises(LogFrozen):
        home.open()


def test_a_log_cut_short_with_its_checkpoints_is_found_by_the_one_kept_outside(home: LogHome, tmp_path: Path) -> None:
    older = LogHome.make(tmp_path / "older", f"sqlite:///{tmp_path / 'older.db'}")
    assert older.verify().ok
    backup = tmp_path / "backup.db"
    log = home.open()
    with sqlite3.connect(home.database_file) as source, sqlite3.connect(backup) as copy:
        source.backup(copy)
    log.append_all([an_access() for _ in range(5)])
    log.close()
    restored = home.at(f"sqlite:///{backup}")
    assert restored.verify(with_remembered=False).ok, "by itself an older backup is a sound log"
    report = restored.verify()
    assert (report.ok, report.first_broken) == (False, SIZE)
    with pytest.raises(LogFrozen, match="older backup"):
        restored.open()
