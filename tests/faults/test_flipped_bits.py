"""One bit is flipped in each column that is stored: verification says so, or it is named here as what it cannot see."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from audit import schema
from audit.errors import LogUnavailable
from audit.tiles import HASH_SIZE
from tests.factories.logs import LogHome, an_access

pytestmark = pytest.mark.fault

#: What a verification cannot tell, and what comes of it (docs/log-format.md, "What verification does not see").
UNSEEN = {
    ("subjects", "labels"): "the next label of the person skips numbers, which their own check of completeness shows",
    ("idempotency", "key_index"): "a retry of that one request would be recorded once more",
    ("idempotency", "seq"): "a retry of that one request would be refused as a conflict",
    ("vault_keys", "name"): "the vault does not open, so that nothing is verified at all",
    ("vault_keys", "wrapped"): "the vault does not open, so that nothing is verified at all",
    ("cosignatures", "size"): "a witness's signature is checked whenever it is served, and one that is false left out",
    ("cosignatures", "witness"): "as above",
    ("cosignatures", "line"): "as above",
}
#: Tables that say how something stands at the moment, of which nothing was ever signed.
OF_THE_MOMENT = {"witness_reports"}
COLUMNS = [
    (table.name, column.name)
    for table in schema.metadata.sorted_tables
    for column in table.columns
    if table.name not in OF_THE_MOMENT and (table.name, column.name) not in UNSEEN
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    """A log of some entries, one erased and one sealed, over more than one tile."""
    folder = tmp_path_factory.mktemp("log")
    home = LogHome.make(folder, f"sqlite:///{folder / 'test.db'}")
    log = home.open()
    log.append_all([an_access(subject=f"EE{number % 5}", case=f"C-{number}") for number in range(260)])
    log.append(an_access(seal="S-1", case="C-sealed"), idempotency_key="r1")
    log.erase_entries([7], basis="GDPR Article 17(1)(d)")
    log.append(an_access(official=None, case=None, organisation=None, registry=None, purpose=None))
    log.close()
    return home


@pytest.fixture
def database(home: LogHome) -> Iterator[sqlite3.Connection]:
    """The database in the hands of somebody who owns it; what they did is undone afterwards."""
    whole = home.database_file.read_bytes()
    connection = sqlite3.connect(home.database_file, isolation_level=None)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    yield connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for leftover in home.database_file.parent.glob("test.db-*"):
        leftover.unlink()
    home.database_file.write_bytes(whole)


def _flipped(value: object, chance: random.Random) -> object:
    if isinstance(value, int):
        return value ^ 1 << 20  # a number that no other row has, where it is a key
    content = bytearray(value.encode() if isinstance(value, str) else value)  # type: ignore[arg-type]
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(7)
    return content.decode("utf-8", "replace") if isinstance(value, str) else bytes(content)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_flipped_bit_of_a_column_is_found(
    home: LogHome, database: sqlite3.Connection, table: str, column: str
) -> None:
    chance = random.Random(f"{table}.{column}")
    rows = database.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    assert rows, "there is something to change"
    row, value = chance.choice(rows)
    if column == "automatic":
        changed: object = 1 - value
    else:
        changed = _flipped(value, chance)
    database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
    if (table, column) == ("head", "id"):
        with pytest.raises(LogUnavailable, match="holds no log"):
            home.verify()
        return
    report = home.verify()
    assert not report.ok, f"{table}.{column}: {value!r} became {changed!r}"
    assert report.first_broken is not None


def test_a_flipped_bit_of_any_hash_in_any_tile_is_found_at_the_entries_under_it(
    home: LogHome, database: sqlite3.Connection
) -> None:
    chance = random.Random(4711)
    tiles = database.execute("SELECT level, tile_index, hashes FROM tiles").fetchall()
    assert {level for level, _, _ in tiles} == {0, 1}
    for level, index, hashes in tiles:
        for byte in chance.sample(range(len(hashes)), min(12, len(hashes))):
            changed = bytearray(hashes)
            changed[byte] ^= 1 << chance.randrange(8)
            where = "WHERE level = ? AND tile_index = ?"
            database.execute(f"UPDATE tiles SET hashes = ? {where}", (bytes(changed), level, index))
            entry = (index * 256 + byte // HASH_SIZE) * 256**level
            report = home.verify(with_bodies=False)
            assert (report.ok, report.first_broken) == (False, entry), report.problem
            database.execute(f"UPDATE tiles SET hashes = ? {where}", (hashes, level, index))
    assert home.verify().ok


def test_the_list_of_what_is_unseen_names_columns_that_there_are() -> None:
    for table, column in UNSEEN:
        assert column in schema.metadata.tables[table].columns
    assert set(schema.metadata.tables) >= OF_THE_MOMENT
