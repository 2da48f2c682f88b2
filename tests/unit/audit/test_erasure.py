"""What is erased is gone, and everything else stays provable. On SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from audit.entry import Access, decode_leaf, leaf_hash
from audit.erasure import scrub
from audit.errors import EntryNotFound, EntryRefused, IdempotencyConflict
from audit.log import AuditLog, TrailQuery
from audit.merkle import consistency_proof, verify_consistency
from audit.store import Store, TileNodes
from audit.verify import ERASURE, LOG_SOURCE, digest_of_entries, verify_receipt
from tests.databases import environment
from tests.factories.logs import LogHome, an_access

ANNA, BORIS = "EE48001085717", "EE37605030299"
BASIS = "GDPR Article 17(1)(d)"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    """Entries 0, 2, 4 are about Anna, 1, 3, 5 about Boris."""
    log = home.open()
    log.append_all([an_access(subject=BORIS if number % 2 else ANNA, case=f"C-{number}") for number in range(6)])
    yield log
    log.close()


def _tombstone(log: AuditLog, seq: int) -> Access:
    access = log.entry(seq).access
    assert access is not None
    return access


def test_an_erased_entry_says_nothing_more_and_keeps_its_place(home: LogHome, log: AuditLog) -> None:
    leaf = log.receipt(2).leaf
    erased = log.erase_entries([2], basis=BASIS)
    assert erased.entries == 1
    assert erased.tombstone is not None
    assert erased.tombstone.seq == 6
    assert log.entry(2).access is None
    assert log.receipt(2).leaf == leaf
    assert log.receipt(2, for_subject=True).body is None
    assert [item.seq for item in log.read(TrailQuery(subject=ANNA)).items] == [4, 0]
    report = home.verify()
    assert (report.ok, report.size, report.opened, report.erased) == (True, 7, 6, 1)


def test_the_tombstone_says_that_when_and_on_which_ground_but_not_whom(log: AuditLog) -> None:
    log.erase_entries(
        [4, 2], basis=BASIS, reason="Kept beyond its term", official="official-3", organisation="data-owner"
    )
    tombstone = _tombstone(log, 6)
    assert (tombstone.action, tombstone.source, tombstone.subject) == (ERASURE, LOG_SOURCE, None)
    assert (tombstone.lawful_basis, tombstone.reason) == (BASIS, "Kept beyond its term")
    assert (tombstone.official, tombstone.organisation) == ("official-3", "data-owner")
    assert dict(tombstone.details) == {"entries": 2, "erased-sha256": digest_of_entries([2, 4]), "scope": "entries"}
    assert 6 not in [item.seq for item in log.read(TrailQuery(subject=ANNA)).items]


def test_erasing_a_person_erases_all_their_entries_and_nobody_elses(home: LogHome, log: AuditLog) -> None:
    erased = log.erase_subject(ANNA, basis=BASIS)
    assert erased.entries == 3
    assert [log.entry(seq).access is None for seq in range(6)] == [True, False] * 3
    assert log.count(TrailQuery(subject=ANNA)) == 0
    assert log.count(TrailQuery(subject=BORIS)) == 3
    assert _tombstone(log, 6).details["scope"] == "subject"
    report = home.verify()
    assert (report.ok, report.opened, report.erased) == (True, 4, 3)


def test_proofs_given_out_before_stay_true(home: LogHome, log: AuditLog) -> None:
    receipts = [log.receipt(seq, for_subject=True).text for seq in range(6)]
    before = log.checkpoint().checkpoint
    log.erase_subject(ANNA, basis=BASIS)
    log.erase_entries([1], basis=BASIS)
    for seq, receipt in enumerate(receipts):
        assert verify_receipt(receipt, [home.verifier]).index == seq
    after = log.checkpoint().checkpoint
    store = Store(home.settings.database_url)
    with store.reading() as connection:
        proof = consistency_proof(before.size, after.size, TileNodes(connection).node)
    store.close()
    verify_consistency(before.size, after.size, proof, before.root, after.root)
    for seq in range(8):
        verdict = verify_receipt(log.receipt(seq).text, [home.verifier])
        assert (verdict.index, verdict.access is None) == (seq, seq in {0, 1, 2, 4})


def test_erasing_twice_changes_nothing_and_says_nothing(home: LogHome, log: AuditLog) -> None:
    log.erase_entries([2], basis=BASIS)
    again = log.erase_entries([2], basis=BASIS)
    assert (again.entries, again.tombstone) == (0, None)
    log.erase_subject(ANNA, basis=BASIS)
    assert log.erase_subject(ANNA, basis=BASIS).tombstone is None
    assert log.erase_subject("EE60001017869", basis=BASIS).entries == 0
    assert log.erase_entries([], basis=BASIS).tombstone is None
    assert log.checkpoint().checkpoint.size == 8
    assert home.verify().ok


def test_of_several_only_those_not_erased_before_are_named(home: LogHome, log: AuditLog) -> None:
    log.erase_entries([2], basis=BASIS)
    assert log.erase_entries([1, 2, 3, 3], basis=BASIS).entries == 2
    assert _tombstone(log, 7).details["erased-sha256"] == digest_of_entries([1, 3])
    assert home.verify().ok


def test_an_entry_that_is_not_there_stops_the_whole_erasure(home: LogHome, log: AuditLog) -> None:
    for seq in (6, -1, 10**12):
        with pytest.raises(EntryNotFound):
            log.erase_entries([0, seq], basis=BASIS)
    assert log.entry(0).access is not None
    assert log.checkpoint().checkpoint.size == 6


def test_what_the_log_says_of_itself_cannot_be_erased(home: LogHome, log: AuditLog) -> None:
    log.erase_entries([2], basis=BASIS)
    with pytest.raises(EntryRefused, match="log's own"):
        log.erase_entries([0, 6], basis=BASIS)
    assert log.entry(0).access is not None
    assert home.verify().ok


def test_nobody_else_can_speak_as_the_log(log: AuditLog) -> None:
    with pytest.raises(EntryRefused, match="source"):
        log.append(an_access(source=LOG_SOURCE, action=ERASURE, details={"erased-sha256": digest_of_entries([0])}))
    with pytest.raises(EntryRefused, match="source"):
        log.append_all([an_access(), an_access(source=LOG_SOURCE)])


@pytest.mark.parametrize("said", [ANNA, ANNA.lower(), "on request of 48001085717", "the file of 4800-108-5717, closed"])
@pytest.mark.parametrize("where", ["basis", "reason", "official"])
def test_grounds_that_name_the_person_are_refused(tmp_path: Path, sqlite_url: str, said: str, where: str) -> None:
    log = LogHome.make(tmp_path, sqlite_url).open()
    log.append_all([an_access(subject=ANNA)] * 3)
    grounds = {"basis": BASIS} | {where: said}
    with pytest.raises(EntryRefused, match="names the person") as refused:
        log.erase_subject(ANNA, **grounds)
    assert "48001085717" not in str(refused.value)
    with pytest.raises(EntryRefused, match="names the person"):
        log.erase_entries([0], **grounds)
    assert log.count(TrailQuery(subject=ANNA)) == 3
    log.close()


def test_a_person_known_again_has_new_keys_and_counts_from_one(home: LogHome, log: AuditLog) -> None:
    old = log.receipt(0, for_subject=True)
    log.erase_subject(ANNA, basis=BASIS)
    seq = log.append(an_access(subject=ANNA)).seq
    new = log.receipt(seq, for_subject=True)
    assert (new.label_count, old.label_count) == (1, 1)
    assert new.label_key != old.label_key
    assert decode_leaf(new.leaf).label != decode_leaf(old.leaf).label
    assert [item.seq for item in log.read(TrailQuery(subject=ANNA)).items] == [seq]
    log.erase_subject(ANNA, basis=BASIS)
    report = home.verify()
    assert (report.ok, report.erased) == (True, 4)


def test_a_person_whose_entries_went_one_by_one_still_loses_their_keys(home: LogHome, log: AuditLog) -> None:
    log.erase_entries([0, 2, 4], basis=BASIS)
    assert log.erase_subject(ANNA, basis=BASIS).tombstone is not None
    assert log.erase_subject(ANNA, basis=BASIS).tombstone is None
    assert home.verify().ok


def test_a_request_whose_entry_was_erased_cannot_be_repeated(log: AuditLog) -> None:
    access = an_access(subject=ANNA)
    seq = log.append(access, idempotency_key="r").seq
    log.erase_entries([seq], basis=BASIS)
    with pytest.raises(IdempotencyConflict):
        log.append(access, idempotency_key="r")


def test_no_trace_of_the_person_is_left_in_any_table(home: LogHome, log: AuditLog) -> None:
    """Not even a blind index: with the vault's key it would tell whether somebody was ever in the log."""
    engine = create_engine(home.settings.database_url)
    tables = ("entries", "bodies", "subjects", "sources", "idempotency", "erasures", "checkpoints")

    def rows() -> str:
        with engine.connect() as connection:
            return "".join(str([tuple(map(_plain, row)) for row in connection.execute(text(f"SELECT * FROM {table}"))])
                           for table in tables)  # fmt: skip

    with engine.connect() as connection:
        index = bytes(connection.execute(text("SELECT subject_index FROM bodies WHERE seq = 0")).scalar_one()).hex()
    assert index in rows()
    log.erase_subject(ANNA, basis=BASIS)
    assert index not in rows()
    engine.dispose()


def _plain(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def test_the_database_lets_no_keys_go_that_still_open_something(home: LogHome, log: AuditLog) -> None:
    engine = create_engine(home.settings.database_url)
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text("DELETE FROM subjects"))
    engine.dispose()
    assert log.entry(0).access is not None


def test_erasure_waits_for_appends_and_they_for_it(home: LogHome, log: AuditLog) -> None:
    """Two openers of one log: whichever comes first, the tombstone names exactly what is gone."""
    from concurrent.futures import ThreadPoolExecutor

    other = home.open()
    with ThreadPoolExecutor(4) as pool:
        appended = [pool.submit(other.append, an_access(subject=ANNA, case=f"D-{number}")) for number in range(20)]
        erased = [pool.submit(log.erase_subject, ANNA, basis=BASIS) for _ in range(4)]
        for future in appended + erased:
            future.result()
    other.close()
    report = home.verify()
    assert report.ok, report.problem
    assert report.erased == sum(future.result().entries for future in erased)
    assert report.erased + log.count(TrailQuery(subject=ANNA)) == 23


# What an intruder may do with the tables, and what verification says of it.

FORGERIES: dict[str, tuple[str, int]] = {
    "a body deleted under a tombstone that names others": (
        "INSERT INTO erasures VALUES (3, 6); DELETE FROM bodies WHERE seq = 3",
        2,
    ),
    "a tombstone erased": ("INSERT INTO erasures VALUES (6, 7); DELETE FROM bodies WHERE seq = 6", 6),
    "a body deleted under an ordinary entry": (
        "INSERT INTO erasures VALUES (3, 5); DELETE FROM bodies WHERE seq = 3",
        3,
    ),
    "a body deleted under an entry before it": (
        "INSERT INTO erasures VALUES (3, 1); DELETE FROM bodies WHERE seq = 3",
        3,
    ),
    "a body deleted under itself": ("INSERT INTO erasures VALUES (3, 3); DELETE FROM bodies WHERE seq = 3", 3),
    "a body deleted under an entry to come": (
        "INSERT INTO erasures VALUES (3, 99); DELETE FROM bodies WHERE seq = 3",
        3,
    ),
    "a body deleted and nothing said": ("DELETE FROM bodies WHERE seq = 3", 3),
    "an erasure said of a body that is there": ("INSERT INTO erasures VALUES (3, 6)", 3),
    "an erasure taken back in the table alone": ("DELETE FROM erasures", 2),
    "an erasure moved to another tombstone": ("UPDATE erasures SET tombstone = 7 WHERE seq = 2", 6),
    "the tombstone's body exchanged for another's": (
        (
            "CREATE TEMP TABLE other AS SELECT sealed FROM bodies WHERE seq = 7; UPDATE bodies"
            " SET sealed = (SELECT sealed FROM other) WHERE seq = 6"
        ),
        6,
    ),
}


def _intrude(url: str, statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for name in (
                connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            ):
                connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements.split(";"):
            connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_erasure_is_named(home: LogHome, log: AuditLog, forgery: str) -> None:
    log.erase_entries([2], basis=BASIS)
    log.erase_entries([5], basis=BASIS)
    log.append(an_access(subject="EE1"))
    _intrude(home.settings.database_url, "SELECT 1")
    assert home.verify().ok
    statements, first = FORGERIES[forgery]
    _intrude(home.settings.database_url, statements)
    report = home.verify()
    assert (report.ok, report.first_broken) == (False, first), report.problem


@pytest.mark.parametrize(
    "forgery", ["a tombstone erased", "a body deleted under an ordinary entry", "a body deleted under an entry to come"]
)
def test_some_forgeries_are_named_even_without_the_master_key(home: LogHome, log: AuditLog, forgery: str) -> None:
    log.erase_entries([2], basis=BASIS)
    log.erase_entries([5], basis=BASIS)
    assert home.verify(with_bodies=False).ok
    statements, first = FORGERIES[forgery]
    _intrude(home.settings.database_url, statements)
    assert home.verify(with_bodies=False).first_broken == first


def test_an_erased_body_put_back_is_named(home: LogHome, log: AuditLog) -> None:
    """Whoever kept a copy must not bring it back unnoticed: an erasure is for ever."""
    engine = create_engine(home.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE copy_of_bodies AS SELECT * FROM bodies WHERE seq IN (2, 4)"))
    engine.dispose()
    log.erase_entries([2, 4], basis=BASIS)
    back = "INSERT INTO bodies SELECT * FROM copy_of_bodies"
    _intrude(home.settings.database_url, f"DELETE FROM erasures WHERE seq = 2; {back} WHERE seq = 2")
    assert home.verify().first_broken == 4, "the tombstone names two"
    _intrude(home.settings.database_url, f"DELETE FROM erasures; {back} WHERE seq = 4")
    report = home.verify()
    assert (report.ok, report.first_broken) == (False, 6)
    assert "they are not" in (report.problem or "")


# Bytes on the disk.


def _stored(url: str, seq: int) -> tuple[bytes, bytes]:
    """The sealed body of an entry and the wrapped keys of its subject."""
    engine = create_engine(url)
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT b.sealed, s.wrapped FROM bodies b JOIN subjects s USING (subject_index) WHERE seq = :seq"),
            {"seq": seq},
        ).one()
    engine.dispose()
    return bytes(row[0]), bytes(row[1])


def _bytes_under(folder: Path, wanted: Callable[[Path], bool]) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and wanted(path))


def _fill(log: AuditLog) -> None:
    """Enough for pages to be split and rows to be moved between them."""
    for start in range(0, 1000, 100):
        log.append_all(
            [an_access(subject=f"EE{number % 50}", case=f"D-{number}") for number in range(start, start + 100)]
        )


def _holds(stored: bytes, secret: bytes) -> bool:
    """Whether any part of it of some length is left: an overwritten beginning must not hide the rest."""
    return any(secret[start : start + 24] in stored for start in range(0, len(secret) - 24, 24))


def test_sqlite_and_its_journal_hold_no_byte_of_what_was_erased(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    erased = log.append(an_access(subject=ANNA, justification="a sentence nobody shall ever read again")).seq
    kept = log.append(an_access(subject=BORIS)).seq
    _fill(log)
    body, keys = _stored(sqlite_url, erased)
    kept_body, kept_keys = _stored(sqlite_url, kept)
    log.erase_subject(ANNA, basis=BASIS)
    log.close()
    store = Store(sqlite_url)
    scrub(store)
    store.close()
    stored = _bytes_under(tmp_path, lambda path: path.name.startswith("test.db"))
    assert _holds(stored, kept_body)
    assert _holds(stored, kept_keys)
    assert not _holds(stored, body)
    assert not _holds(stored, keys)
    assert ANNA.encode() not in stored
    assert b"a sentence nobody shall ever read again" not in stored
    assert home.verify().ok


@pytest.mark.postgres
def test_postgresqls_table_files_hold_no_byte_of_what_was_erased(tmp_path: Path, postgres_url: str) -> None:
    home = LogHome.make(tmp_path, postgres_url)
    log = home.open()
    erased = log.append(an_access(subject=ANNA)).seq
    kept = log.append(an_access(subject=BORIS)).seq
    _fill(log)
    body, keys = _stored(postgres_url, erased)
    kept_body, kept_keys = _stored(postgres_url, kept)
    log.erase_subject(ANNA, basis=BASIS)
    log.close()
    store = Store(postgres_url)
    scrub(store)
    store.close()
    stored = _table_files(postgres_url)
    assert _holds(stored, kept_body)
    assert _holds(stored, kept_keys)
    assert not _holds(stored, body)
    assert not _holds(stored, keys)
    assert home.verify().ok


def _table_files(url: str) -> bytes:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        folder, oid = connection.execute(
            text("SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()")
        ).one()
    engine.dispose()
    return _bytes_under(Path(folder) / "base" / str(oid), lambda _: True)


def test_an_older_backup_still_holds_what_was_erased_since(tmp_path: Path, sqlite_url: str) -> None:
    """Said honestly: erasing does not reach a backup. It ends with its master key (see test_rotation)."""
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access(subject=ANNA))
    backup = tmp_path / "backup.db"
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{backup}'"))
    engine.dispose()
    log.erase_subject(ANNA, basis=BASIS)
    log.close()
    assert home.at(f"sqlite:///{backup}").verify(with_remembered=False).opened == 1


# The command.


def _run(home: LogHome, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    keys = home.settings.signing_key.parent
    done = subprocess.run(
        [sys.executable, "-m", "audit", *arguments],
        cwd=ROOT,
        env=environment(
            GLASSHOUSE_LOG_DATABASE_URL=home.settings.database_url,
            GLASSHOUSE_LOG_CHECKPOINT_FILE=str(home.settings.checkpoint_file),
            GLASSHOUSE_LOG_MASTER_KEY_FILE=str(keys / "master_key.txt"),
            GLASSHOUSE_LOG_SIGNING_KEY=str(keys / "log.key"),
            GLASSHOUSE_LOG_VKEY=str(keys / "log.vkey"),
        ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_command_erases_only_when_told_twice(home: LogHome, log: AuditLog) -> None:
    told = _run(home, "erase", "0", "2", "--basis", BASIS)
    assert (told.returncode, log.checkpoint().checkpoint.size) == (1, 6)
    assert "2 entries" in told.stdout
    told = _run(home, "erase", "0", "2", "--basis", BASIS, "--yes")
    assert told.returncode == 0, told.stderr
    assert "entry 6 says so" in told.stdout
    assert log.entry(0).access is None
    assert "nothing left" in _run(home, "erase", "0", "2", "--basis", BASIS, "--yes").stdout


def test_the_command_takes_a_person_from_standard_input_or_a_file(home: LogHome, log: AuditLog, tmp_path: Path) -> None:
    told = _run(home, "erase", "--subject", "-", "--basis", BASIS, "--yes", stdin=f"{ANNA}\n")
    assert "Erased 3 entries" in told.stdout, told.stderr
    assert ANNA not in told.stdout + told.stderr
    file = tmp_path / "person.txt"
    file.write_text(BORIS)
    assert "Erased 3 entries" in _run(home, "erase", "--subject", str(file), "--basis", BASIS, "--yes").stdout
    assert _run(home, "scrub").returncode == 0
    assert home.verify().erased == 6


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["erase", "--basis", BASIS, "--yes"], ""),
        (["erase", "0", "--subject", "-", "--basis", BASIS, "--yes"], ANNA),
        (["erase", "--subject", "-", "--basis", BASIS, "--yes"], ""),
        (["erase", "--subject", "-", "--basis", BASIS, "--yes"], f"{ANNA} {BORIS}"),
        (["erase", "--subject", "/nowhere", "--basis", BASIS, "--yes"], ""),
        (["erase", "--subject", "-", "--basis", f"wish of {ANNA}", "--yes"], ANNA),
        (["erase", "77", "--basis", BASIS, "--yes"], ""),
        (["erase", "0", "--yes"], ""),
    ],
)
def test_the_command_refuses_what_is_unclear(tmp_path: Path, sqlite_url: str, arguments: list[str], stdin: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access(subject=ANNA))
    log.close()
    told = _run(home, *arguments, stdin=stdin)
    assert told.returncode == 2
    assert told.stderr
    assert home.verify().size == 1


def test_the_leaf_that_stays_tells_its_time_and_source_and_no_more(log: AuditLog) -> None:
    before = log.receipt(2).leaf
    log.erase_subject(ANNA, basis=BASIS)
    receipt = log.receipt(2)
    assert receipt.leaf == before
    assert leaf_hash(receipt.leaf) == leaf_hash(before)
    leaf = decode_leaf(receipt.leaf)
    assert leaf.source == "portal"
    assert (receipt.body, receipt.secret, receipt.label_key) == (None, None, None)
