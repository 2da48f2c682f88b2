"""What the world reads of a log: each tile and each bundle, at each size, as C2SP tlog-tiles addresses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.entry import decode_leaf, leaf_hash
from audit.errors import EntryNotFound, LogUnavailable, VerificationFailed
from audit.log import AuditLog
from audit.merkle import inclusion_proof, root_of, verify_inclusion
from audit.public import PublicLog
from audit.published import fsck
from audit.store import Store
from audit.tiles import HASH_SIZE, TILE_WIDTH, TileCoordinates, decode_bundle, parse_tile_path
from tests.factories.logs import ORIGIN, LogHome, an_access

SIZES = [0, 1, 255, 256, 257, 600]


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str) -> LogHome:
    return LogHome.make(tmp_path, sqlite_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


def _grown_to(log: AuditLog, size: int) -> None:
    log.append_all([an_access() for _ in range(size - log.checkpoint().checkpoint.size)])


def _leaf_hashes(log: AuditLog, size: int) -> list[bytes]:
    return [leaf_hash(log.receipt(seq).leaf) for seq in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_every_tile_and_bundle_of_a_size_is_served_and_nothing_beyond(log: AuditLog, size: int) -> None:
    _grown_to(log, size)
    hashes = _leaf_hashes(log, size)
    full, rest = divmod(size, TILE_WIDTH)
    for index in range(full + 1):
        width = TILE_WIDTH if index < full else rest
        if width:
            here = hashes[index * TILE_WIDTH : index * TILE_WIDTH + width]
            assert log.public.file(TileCoordinates(0, index, width)) == b"".join(here)
            bundle = decode_bundle(log.public.file(TileCoordinates("entries", index, width)))
            assert [leaf_hash(entry) for entry in bundle] == here
    if full:
        roots = [root_of(hashes[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]) for index in range(full)]
        assert log.public.file(TileCoordinates(1, 0, full)) == b"".join(roots)
    beyond = [TileCoordinates(1, 0, full + 1), TileCoordinates(2, 0, 1), TileCoordinates(63, 0, 1)]
    for level in (0, "entries"):
        beyond += [
            TileCoordinates(level, full, rest + 1),  # type: ignore[arg-type]
            TileCoordinates(level, full, TILE_WIDTH),  # type: ignore[arg-type]
            TileCoordinates(level, full + 1, 1),  # type: ignore[arg-type]
            TileCoordinates(level, 2**56 - 1, TILE_WIDTH),  # type: ignore[arg-type]
        ]
    for coordinates in beyond:
        with pytest.raises(EntryNotFound):
            log.public.file(coordinates)


def test_every_narrower_width_of_a_tile_stays_available_as_it_was(log: AuditLog) -> None:
    """A reader of an older checkpoint asks for the partial tile of that size, when the full one long exists."""
    _grown_to(log, 300)
    for index, most in ((0, TILE_WIDTH), (1, 300 - TILE_WIDTH)):
        widest = log.public.file(TileCoordinates(0, index, most))
        bundle = decode_bundle(log.public.file(TileCoordinates("entries", index, most)))
        for width in range(1, most + 1):
            assert log.public.file(TileCoordinates(0, index, width)) == widest[: width * HASH_SIZE]
            assert decode_bundle(log.public.file(TileCoordinates("entries", index, width))) == bundle[:width]


def test_a_full_tile_never_changes_once_it_is_full(log: AuditLog) -> None:
    _grown_to(log, 256)
    before = [log.public.file(TileCoordinates(level, 0, 256)) for level in (0, "entries")]  # type: ignore[arg-type]
    _grown_to(log, 700)
    after = [log.public.file(TileCoordinates(level, 0, 256)) for level in (0, "entries")]  # type: ignore[arg-type]
    assert before == after


def test_inclusion_can_be_proved_from_public_files_alone(log: AuditLog) -> None:
    """What a monitor that nobody here wrote would do: read tiles, make the proof, check it against the checkpoint."""
    _grown_to(log, 600)
    checkpoint = log.checkpoint().checkpoint

    def node(height: int, index: int) -> bytes:
        level, within = divmod(height, 8)
        first = index << within
        tile, start = divmod(first, TILE_WIDTH)
        width = min(TILE_WIDTH, (checkpoint.size >> (8 * level)) - tile * TILE_WIDTH)
        hashes = log.public.file(TileCoordinates(level, tile, width))
        span = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
        return root_of(span[start : start + (1 << within)])

    for seq in (0, 1, 255, 256, 511, 512, 599):
        leaf = decode_bundle(log.public.file(TileCoordinates("entries", seq // 256, min(256, 600 - seq // 256 * 256))))
        proof = inclusion_proof(seq, checkpoint.size, node)
        verify_inclusion(seq, checkpoint.size, leaf_hash(leaf[seq % 256]), proof, checkpoint.root)


def test_the_checkpoint_is_the_one_that_was_signed_last(log: AuditLog) -> None:
    for _ in range(3):
        log.append(an_access())
        assert log.public.checkpoint() == log.checkpoint().text


def test_no_public_file_holds_anything_of_a_person(log: AuditLog) -> None:
    access = an_access(justification="a justification that nobody may read")
    log.append(access)
    public = log.public.file(TileCoordinates("entries", 0, 1)) + log.public.checkpoint().encode()
    for value in (access.subject, access.official, access.official_name, access.justification, access.case):
        assert value is not None
        assert value.encode() not in public
    leaf = decode_leaf(decode_bundle(log.public.file(TileCoordinates("entries", 0, 1)))[0])
    assert (leaf.seq, leaf.log, leaf.source) == (0, ORIGIN, "portal")


@pytest.mark.parametrize("size", SIZES)
def test_the_public_log_is_written_out_whole(log: AuditLog, home: LogHome, tmp_path: Path, size: int) -> None:
    _grown_to(log, size)
    folder = tmp_path / "public"
    assert log.public.write_to(folder) == size
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names - {"checkpoint"} == _names(size)
    for name in names - {"checkpoint"}:
        assert (folder / name).read_bytes() == log.public.file(parse_tile_path(name))
    report = fsck(folder, [home.verifier])
    assert (report.ok, report.size) == (True, size)


def _names(size: int) -> set[str]:
    """Said here by hand: what C2SP tlog-tiles asks for at each of SIZES."""
    tiles = {
        0: [],
        1: ["{}/000.p/1"],
        255: ["{}/000.p/255"],
        256: ["{}/000"],
        257: ["{}/000", "{}/001.p/1"],
        600: ["{}/000", "{}/001", "{}/002.p/88"],
    }[size]
    names = {f"tile/{path.format(kind)}" for path in tiles for kind in ("0", "entries")}
    upper = {256: "tile/1/000.p/1", 257: "tile/1/000.p/1", 600: "tile/1/000.p/2"}
    return names | ({upper[size]} if size in upper else set())


def test_writing_out_again_keeps_the_older_partial_tiles(log: AuditLog, home: LogHome, tmp_path: Path) -> None:
    for size in (3, 256, 260):
        _grown_to(log, size)
        log.public.write_to(tmp_path / "public")
    assert (tmp_path / "public/tile/0/000.p/3").exists()
    assert fsck(tmp_path / "public", [home.verifier]).ok


def test_a_database_without_a_log_serves_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(LogUnavailable):
        PublicLog(store).checkpoint()
    store.close()


def test_progress_is_told_of_each_tile(log: AuditLog, tmp_path: Path) -> None:
    _grown_to(log, 300)
    told: list[tuple[int, int]] = []
    log.public.write_to(tmp_path / "public", lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_folder_without_a_checkpoint_is_no_published_log(home: LogHome, tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed, match="no checkpoint to read"):
        fsck(tmp_path / "nothing", [home.verifier])
