import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle, tiles
from audit.errors import MalformedTile
from tests.vectors import shared

levels = st.integers(0, tiles.MAX_LEVEL)
indexes = st.integers(0, 2**56 - 1)
widths = st.integers(1, tiles.TILE_WIDTH)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 999, 255, "tile/1/999.p/255"),
        (2, 1000, 256, "tile/2/x001/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (63, 1234067, 5, "tile/63/x001/x234/067.p/5"),
    ],
)
def test_a_tile_has_the_address_that_the_specification_gives(level: int, index: int, width: int, path: str) -> None:
    assert tiles.tile_path(level, index, width) == path
    assert tiles.parse_tile_path(path) == tiles.TileCoordinates(level, index, width)


def test_an_entry_bundle_has_the_address_that_the_specification_gives() -> None:
    assert tiles.entries_path(1234067) == "tile/entries/x001/x234/067"
    assert tiles.entries_path(0, 7) == "tile/entries/000.p/7"
    assert tiles.parse_tile_path("tile/entries/000.p/7") == tiles.TileCoordinates("entries", 0, 7)


@given(levels, indexes, widths)
def test_an_address_leads_back_to_its_tile(level: int, index: int, width: int) -> None:
    assert tiles.parse_tile_path(tiles.tile_path(level, index, width)) == tiles.TileCoordinates(level, index, width)
    assert tiles.parse_tile_path(tiles.entries_path(index, width)) == tiles.TileCoordinates("entries", index, width)


@given(st.text(alphabet="tile/entris0129xp._\n", max_size=40) | st.text(max_size=20))
def test_whatever_parses_as_an_address_is_spelt_as_the_format_spells_it(text: str) -> None:
    try:
        found = tiles.parse_tile_path(text)
    except MalformedTile:
        return
    if found.level == "entries":
        assert tiles.entries_path(found.index, found.width) == text
    else:
        assert tiles.tile_path(found.level, found.index, found.width) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1234",
        "tile/0/x000/001",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/x1/000",
        "tile/0/X001/000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile//000",
        "tile/data/000",
        "tile/entries/x000/000",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/1000",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/",
        "tile/0/000p/1",
        "tile/0/000.P/1",
        "tile/0/٠٠٠",
        "tile/0/" + "x999/" * 7 + "999",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/../0/000",
        "tile/0/000.p/1?x",
    ],
)
def test_any_other_spelling_of_an_address_is_refused(path: str) -> None:
    with pytest.raises(MalformedTile):
        tiles.parse_tile_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_no_address_is_made_for_a_tile_that_cannot_be(level: int, index: int, width: int) -> None:
    with pytest.raises(MalformedTile):
        tiles.tile_path(level, index, width)


def test_no_address_is_made_beyond_the_largest_tree() -> None:
    with pytest.raises(MalformedTile):
        tiles.entries_path(2**56)


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_specifications_example() -> None:
    found = list(tiles.tiles_for_size(70_000))
    assert len([1 for level, _, width in found if (level, width) == (0, 256)]) == 273
    assert [tile for tile in found if tile[2] != 256 or tile[0] > 0] == [
        (0, 273, 112),
        (1, 0, 256),
        (1, 1, 17),
        (2, 0, 1),
    ]


def test_a_tree_of_256_leaves_has_a_full_tile_and_a_partial_one_above() -> None:
    assert list(tiles.tiles_for_size(256)) == [(0, 0, 256), (1, 0, 1)]


def test_an_empty_tree_has_no_tile() -> None:
    assert list(tiles.tiles_for_size(0)) == []


@given(st.integers(0, 200_000))
def test_the_tiles_of_a_tree_hold_each_complete_subtree_of_their_level(size: int) -> None:
    found = list(tiles.tiles_for_size(size))
    for level in range(4):
        of_level = [tile for tile in found if tile[0] == level]
        assert [index for _, index, _ in of_level] == list(range(len(of_level)))
        assert sum(width for _, _, width in of_level) == size >> 8 * level
        partial = [width for _, _, width in of_level if width < tiles.TILE_WIDTH]
        assert partial == [width for width in [tiles.partial_width(level, size)] if width]
    assert all(level < 4 and width > 0 for level, _, width in found)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=256))
def test_a_hash_tile_gives_its_hashes_back(hashes: list[bytes]) -> None:
    assert tiles.decode_tile(tiles.encode_tile(hashes)) == hashes


@pytest.mark.parametrize("length", [0, 1, 31, 33, 32 * 257])
def test_bytes_that_are_no_hash_tile_are_refused(length: int) -> None:
    with pytest.raises(MalformedTile):
        tiles.decode_tile(bytes(length))


@pytest.mark.parametrize("hashes", [[], [bytes(31)], [bytes(32), b""], [bytes(32)] * 257])
def test_hashes_that_make_no_tile_are_refused(hashes: list[bytes]) -> None:
    with pytest.raises(MalformedTile):
        tiles.encode_tile(hashes)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_an_entry_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert tiles.decode_bundle(tiles.encode_bundle(entries)) == entries


def test_an_entry_bundle_states_lengths_in_16_bits_big_endian() -> None:
    assert tiles.encode_bundle([b"ab", b"", b"c" * 258]) == b"\x00\x02ab\x00\x00\x01\x02" + b"c" * 258
    assert tiles.decode_bundle(tiles.encode_bundle([bytes(65_535)])) == [bytes(65_535)]


@pytest.mark.parametrize("entries", [[], [bytes(65_536)], [b""] * 257])
def test_entries_that_make_no_bundle_are_refused(entries: list[bytes]) -> None:
    with pytest.raises(MalformedTile):
        tiles.encode_bundle(entries)


@pytest.mark.parametrize(
    "bundle",
    [b"", b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a\x00\x01", b"\x00\x00" * 257],
)
def test_bytes_that_are_no_entry_bundle_are_refused(bundle: bytes) -> None:
    with pytest.raises(MalformedTile):
        tiles.decode_bundle(bundle)


@given(st.binary(max_size=600))
def test_whatever_decodes_as_a_bundle_encodes_to_the_same_bytes(bundle: bytes) -> None:
    try:
        entries = tiles.decode_bundle(bundle)
    except MalformedTile:
        return
    assert tiles.encode_bundle(entries) == bundle


@shared.needs_log
@pytest.mark.parametrize("size", shared.LOG_SIZES[1:])
def test_the_entries_of_the_public_log_hash_to_its_tiles(size: int) -> None:
    [(level, index, width)] = tiles.tiles_for_size(size)
    hashes = tiles.decode_tile((shared.LOG / tiles.tile_path(level, index, width)).read_bytes())
    bundle = (shared.LOG / tiles.entries_path(index, width)).read_bytes()
    entries = tiles.decode_bundle(bundle)
    assert [merkle.leaf_hash(entry) for entry in entries] == hashes
    assert tiles.encode_bundle(entries) == bundle
    assert len(entries) == size
