"""One bit is flipped in each column that is stored: verification says so, or it is named here as what it cannot see."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit import schema
from audit.errors import KeyRefused, LogUnavailable
from audit.log import open_log
from audit.note import Verifier
from audit.tiles import HASH_SIZE
from tests.factories.logs import LogHome, TickingClock, an_access
from tests.factories.witnesses import NearbyWitness, sending_to

pytestmark = pytest.mark.fault

#: What a verification cannot tell (docs/log-format.md, "What verification does not see"); what comes of each is tested
#: in `test_beside.py`.
UNSEEN = {("idempotency", "key_index"), ("witness_reports", "asked_ms"), ("witness_reports", "problem")}
#: What a log cannot be read without: instead of a verdict there is an error that says so.
NEEDED = {
    ("head", "id"): (LogUnavailable, "holds no log"),
    ("vault_keys", "name"): (LogUnavailable, "holds no log"),
    ("vault_keys", "wrapped"): (KeyRefused, "was changed or moved|wrapped by another"),
}
COLUMNS = [
    (table.name, column.name)
    for table in schema.metadata.sorted_tables
    for column in table.columns
    if (table.name, column.name) not in UNSEEN
]
WITNESS = "witness.example"


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogHome, Verifier]:
    """A log of some entries, one erased and one sealed, over more than one tile, cosigned by a witness."""
    folder = tmp_path_factory.mktemp("log")
    home = LogHome.make(folder, f"sqlite:///{folder / 'test.db'}")
    witness = NearbyWitness.make(folder, WITNESS, [home.verifier])
    log = open_log(replace(home.settings, witnesses=(witness.address,)), clock=TickingClock())
    log._cosigning._send = sending_to(witness)
    log.append_all([an_access(subject=f"EE{number % 5}", case=f"C-{number}") for number in range(260)])
    log.append(an_access(seal="S-1", case="C-sealed"), idempotency_key="r1")
    log.erase_entries([7], basis="GDPR Article 17(1)(d)")
    log.append(an_access(official=None, case=None, organisation=None, registry=None, purpose=None))
    log.ask_witnesses()
    log.close()
    return home, witness.signer.verifier()


@pytest.fixture
def home(witnessed: tuple[LogHome, Verifier]) -> LogHome:
    return witnessed[0]


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
    witnessed: tuple[LogHome, Verifier], database: sqlite3.Connection, table: str, column: str
) -> None:
    home, witness = witnessed
    chance = random.Random(f"{table}.{column}")
    rows = database.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    assert rows, "there is something to change"
    row, value = chance.choice(rows)
    if column == "automatic":
        changed: object = 1 - value
    else:
        changed = _flipped(value, chance)
    database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
    if (table, column) in NEEDED:
        error, words = NEEDED[table, column]
        with pytest.raises(error, match=words):
            home.verify()
        return
    report = home.verify(witnesses=[witness])
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


def test_the_log_is_sound_before_a_bit_is_flipped(witnessed: tuple[LogHome, Verifier]) -> None:
    home, witness = witnessed
    assert home.verify(witnesses=[witness]).ok


def test_the_list_of_what_is_unseen_names_columns_that_there_are() -> None:
    for table, column in UNSEEN | NEEDED.keys():
        assert column in schema.metadata.tables[table].columns
