"""A new signing key takes over: nobody who trusts the old one is left behind, and a retired key is believed no more."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.checkpoint import (
    Checkpoint,
    LogKey,
    format_log_keys,
    open_checkpoint,
    parse_log_keys,
    sign_checkpoint,
)
from audit.entry import Access, Leaf, commit, encode_body, encode_leaf, leaf_hash
from audit.errors import InvalidProof, KeyRefused, LogFrozen, MalformedReceipt, VerificationFailed
from audit.handover import CHANGES, HANDOVER, LOSS, RETIREMENT, KeyChange, follow, key_change_of
from audit.keys import generate_signing_key, load_signer
from audit.log import AuditLog, LogSettings, TrailQuery, open_log, recover_log, verify_store
from audit.note import Ed25519Signer, Signer, Verifier, sign_text
from audit.opening import Opened, open_parts
from audit.public import PublicLog
from audit.published import fsck
from audit.receipt import Receipt, TlogProof, parse_receipt
from audit.remembered import RememberedCheckpoint
from audit.signers import log_key_ids
from audit.store import Store
from audit.succession import begin_handover, go_on_without, retire_old_key, statements
from audit.verify import verify_receipt
from tests.factories.commands import run_audit
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access


@dataclass(frozen=True)
class TwoKeys:
    """A log of three entries, the key that signed them, and one that is to take over."""

    home: LogHome
    old: Signer
    new: Signer
    new_file: Path

    @property
    def both(self) -> LogSettings:
        return replace(self.home.settings, next_signing_key=self.new_file)

    @property
    def new_alone(self) -> LogSettings:
        return replace(self.home.settings, signing_key=self.new_file)

    def open(self, settings: LogSettings | None = None) -> AuditLog:
        return open_log(settings or self.both, clock=TickingClock())

    @contextmanager
    def parts(self, settings: LogSettings | None = None, *besides: Verifier) -> Iterator[Opened]:
        parts = open_parts(settings or self.both, clock=TickingClock(), besides=besides)
        try:
            yield parts
        finally:
            parts.close()

    def begin(self) -> None:
        with self.parts() as parts:
            assert begin_handover(parts) is not None

    def retire(self) -> None:
        with self.parts() as parts:
            assert retire_old_key(parts) is not None

    def append(self, settings: LogSettings | None = None) -> int:
        log = self.open(settings)
        seq = log.append(an_access()).seq
        log.close()
        return seq

    def signed_by(self) -> list[bytes]:
        store = Store(self.home.settings.database_url)
        note = PublicLog(store).checkpoint()
        store.close()
        return log_key_ids(note, ORIGIN)

    def verify(self, *keys: Verifier) -> str | None:
        """What is wrong with the log for a reader who trusts these keys; None when it is sound."""
        url, file = self.home.settings.database_url, self.home.settings.checkpoint_file
        assert file is not None
        report = verify_store(url, keys, self.home.settings.master_key)
        return None if report.ok else report.problem

    def statement(self, kind: str) -> str:
        with self.parts() as parts:
            found = [receipt.text for _, receipt in statements(parts)]
        return next(text for text in found if f'"action":"{kind}"' in text)


@pytest.fixture
def log(tmp_path: Path, database_url: str) -> TwoKeys:
    home = LogHome.make(tmp_path, database_url)
    opened = home.open()
    opened.append_all([an_access() for _ in range(3)])
    opened.close()
    new_file = tmp_path / "keys" / "new.key"
    new = generate_signing_key(new_file, ORIGIN)
    return TwoKeys(home, load_signer(home.settings.signing_key), new, new_file)


def test_through_the_overlap_every_checkpoint_carries_both_signatures(log: TwoKeys) -> None:
    log.begin()
    for _ in range(3):
        assert log.signed_by() == [log.old.key_id, log.new.key_id]
        log.append()
    for keys in ([log.old.verifier()], [log.old.verifier(), log.new.verifier()]):
        assert log.verify(*keys) is None
    assert log.signed_by() == [log.old.key_id, log.new.key_id]


def test_who_knows_either_key_alone_believes_a_receipt_of_the_overlap(log: TwoKeys) -> None:
    log.begin()
    opened = log.open()
    receipt = opened.receipt(1).text
    opened.close()
    for key in (log.old, log.new):
        assert verify_receipt(receipt, [key.verifier()]).index == 1


def test_after_the_overlap_the_new_key_signs_alone(log: TwoKeys) -> None:
    log.begin()
    log.retire()
    assert log.signed_by() == [log.new.key_id]
    log.append()
    log.append(log.new_alone)
    assert log.signed_by() == [log.new.key_id]
    assert log.verify(log.old.verifier(), log.new.verifier()) is None
    assert "no valid signature" in (log.verify(log.old.verifier()) or "")
    assert "no valid signature" in (log.verify(log.new.verifier()) or ""), "the first checkpoints are the old key's"


def test_the_log_records_handover_and_retirement_with_both_keys_and_its_size(log: TwoKeys) -> None:
    log.begin()
    log.append()
    log.retire()
    opened = log.open(log.new_alone)
    said = [item.access for item in opened.stream(TrailQuery(actions=CHANGES))]
    opened.close()
    assert [(access.action, access.source, access.subject) for access in said if access] == [
        (HANDOVER, "log", None),
        (RETIREMENT, "log", None),
    ]
    assert [dict(access.details) for access in said if access] == [
        {"old-key": log.old.vkey, "new-key": log.new.vkey, "at": 3},
        {"old-key": log.old.vkey, "new-key": log.new.vkey, "at": 5},
    ]


def test_an_open_log_knows_its_former_keys_from_its_own_entries(log: TwoKeys) -> None:
    log.begin()
    log.retire()
    opened = log.open(log.new_alone)
    opened.append(an_access())
    report = opened.verify()
    opened.close()
    assert report.ok, report.problem
    assert report.size == 6


def test_both_steps_are_done_once(log: TwoKeys) -> None:
    log.begin()
    with log.parts() as parts:
        assert begin_handover(parts) is None
    log.retire()
    with log.parts() as parts:
        assert retire_old_key(parts) is None
    assert log.append() == 5


def test_processes_may_be_given_the_new_key_one_after_the_other(log: TwoKeys) -> None:
    """Nothing changes before the log says so, whatever the order in a process's settings."""
    swapped = replace(log.both, signing_key=log.new_file, next_signing_key=log.home.settings.signing_key)
    for settings in (log.both, swapped, log.home.settings):
        log.append(settings)
        assert log.signed_by() == [log.old.key_id]
    with log.parts(swapped) as parts:
        begin_handover(parts)
    for settings in (log.both, swapped):
        log.append(settings)
        assert log.signed_by() == [log.old.key_id, log.new.key_id]


def test_a_running_process_without_the_new_key_appends_nothing_once_it_signs(log: TwoKeys) -> None:
    running = log.home.open()
    log.begin()
    with pytest.raises(KeyRefused, match="does not hold"):
        running.append(an_access())
    with pytest.raises(KeyRefused, match="does not hold"):
        running.ping()
    log.retire()
    with pytest.raises(LogFrozen):
        running.append(an_access())
    running.close()
    with pytest.raises(LogFrozen):
        log.home.open()
    assert log.append() == 5


def test_running_processes_change_over_at_one_entry(log: TwoKeys) -> None:
    logs = [log.open() for _ in range(2)]

    def append(number: int) -> int:
        return logs[number % 2].append(an_access()).seq

    with ThreadPoolExecutor(4) as pool:
        first = [pool.submit(append, number) for number in range(15)]
        log.begin()
        second = [pool.submit(append, number) for number in range(15)]
        log.retire()
        third = [pool.submit(append, number) for number in range(15)]
        numbers = [future.result() for future in first + second + third]
    for opened in logs:
        opened.close()
    assert len(set(numbers)) == 45
    assert log.signed_by() == [log.new.key_id]
    assert log.verify(log.old.verifier(), log.new.verifier()) is None
    engine = create_engine(log.home.settings.database_url)
    with engine.connect() as connection:
        notes = connection.execute(text("SELECT note FROM checkpoints ORDER BY size")).scalars().all()
    engine.dispose()
    signers = [tuple(log_key_ids(note, ORIGIN)) for note in notes]
    old, new = log.old.key_id, log.new.key_id
    order = [(old,), (old, new), (new,)]
    assert [order.index(one) for one in signers] == sorted(order.index(one) for one in signers)
    assert set(signers) == set(order)


def test_there_must_be_another_key_to_hand_over_to(log: TwoKeys) -> None:
    with log.parts(log.home.settings) as parts, pytest.raises(KeyRefused, match="no other signing key"):
        begin_handover(parts)
    with log.parts() as parts, pytest.raises(KeyRefused, match="has begun"):
        retire_old_key(parts)
    assert log.append(log.home.settings) == 3


def test_a_next_key_of_another_log_is_refused(log: TwoKeys, tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "stranger.key", "stranger.example/log")
    with pytest.raises(KeyRefused, match=r"stranger\.example"):
        log.open(replace(log.both, next_signing_key=tmp_path / "stranger.key"))


def test_the_new_key_can_hand_over_in_its_turn(log: TwoKeys, tmp_path: Path) -> None:
    log.begin()
    log.retire()
    third = generate_signing_key(tmp_path / "third.key", ORIGIN)
    settings = replace(log.new_alone, next_signing_key=tmp_path / "third.key")
    with log.parts(settings) as parts:
        assert begin_handover(parts) is not None
        assert retire_old_key(parts) is not None
    assert log.signed_by() == [third.key_id]
    opened = log.open(replace(log.new_alone, signing_key=tmp_path / "third.key"))
    assert opened.verify().ok
    opened.close()


# What readers believe.


def _forged(signer: Signer, size: int) -> str:
    return sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), [signer]).text


def test_a_retired_key_is_believed_up_to_its_retirement_and_no_further(log: TwoKeys) -> None:
    retired = LogKey(log.old.verifier(), 5)
    assert open_checkpoint(_forged(log.old, 5), ORIGIN, [retired]).checkpoint.size == 5
    with pytest.raises(VerificationFailed, match="retired"):
        open_checkpoint(_forged(log.old, 6), ORIGIN, [retired, log.new.verifier()])
    both = sign_checkpoint(Checkpoint(ORIGIN, 6, bytes(32)), [log.old, log.new])
    assert [one.key_id for one in open_checkpoint(both.text, ORIGIN, [retired, log.new.verifier()]).verified] == [
        log.new.key_id
    ]


def test_a_checkpoint_by_the_retired_key_alone_is_refused_wherever_it_is_shown(log: TwoKeys, tmp_path: Path) -> None:
    log.begin()
    log.retire()
    log.append()
    keys = [LogKey(log.old.verifier(), 4), log.new.verifier()]
    assert log.verify(*keys) is None
    opened = log.open(log.new_alone)
    checkpoint, receipt = opened.checkpoint().checkpoint, opened.receipt(1)
    opened.close()
    stolen = sign_checkpoint(checkpoint, [log.old]).text
    with pytest.raises(VerificationFailed, match="retired"):
        verify_receipt(replace(receipt, proof=replace(receipt.proof, checkpoint=stolen)).text, keys)
    store = Store(log.home.settings.database_url)
    PublicLog(store).write_to(tmp_path / "public")
    store.close()
    assert fsck(tmp_path / "public", keys).ok
    (tmp_path / "public" / "checkpoint").write_text(stolen)
    with pytest.raises(VerificationFailed, match="retired"):
        fsck(tmp_path / "public", keys)
    (tmp_path / "kept").write_text(stolen)
    with pytest.raises(LogFrozen):
        RememberedCheckpoint(tmp_path / "kept", ORIGIN, keys).read()
    _put_into_database(log.home.settings.database_url, checkpoint.size, stolen)
    assert "no valid signature" in (log.verify(*keys) or "")
    with pytest.raises(LogFrozen):
        log.open(log.new_alone)


def _put_into_database(url: str, size: int, note: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'")).scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE checkpoints SET note = :note WHERE size = :size"), {"note": note, "size": size})
        connection.execute(text("UPDATE head SET checkpoint = :note"), {"note": note})
    engine.dispose()


def test_keys_are_written_and_read_as_lines(log: TwoKeys) -> None:
    keys: list[Verifier] = [LogKey(log.old.verifier(), 5), log.new.verifier()]
    written = format_log_keys(keys)
    assert written == f"{log.old.vkey} until 5\n{log.new.vkey}\n"
    read = parse_log_keys(written + "\n")
    assert format_log_keys(read) == written
    assert isinstance(read[0], LogKey)


@pytest.mark.parametrize("behind", ["until", "until x", "until -1", "until 05", "from 5", "until 5 6", "5"])
def test_a_line_that_is_no_key_is_refused(tmp_path: Path, behind: str) -> None:
    vkey = generate_signing_key(tmp_path / "k.key", ORIGIN).vkey
    with pytest.raises(KeyRefused):
        parse_log_keys(f"{vkey} {behind}\n")
    with pytest.raises(KeyRefused):
        parse_log_keys("\n")
    with pytest.raises(KeyRefused):
        parse_log_keys("no key\n")


def test_keys_of_two_logs_make_no_set(log: TwoKeys, tmp_path: Path) -> None:
    stranger = generate_signing_key(tmp_path / "s.key", "stranger.example/log").verifier()
    with pytest.raises(KeyRefused, match="one log"):
        verify_store(log.home.settings.database_url, [log.old.verifier(), stranger], None)
    with pytest.raises(KeyRefused, match="one log"):
        verify_store(log.home.settings.database_url, [], None)


# How a reader who trusts the old key comes to trust the new one.


def test_who_trusts_the_old_key_is_led_to_the_new_one(log: TwoKeys) -> None:
    log.begin()
    log.append()
    log.retire()
    keys = follow([log.old.verifier()], log.statement(HANDOVER))
    assert format_log_keys(keys) == f"{log.old.vkey}\n{log.new.vkey}\n"
    keys = follow(keys, log.statement(RETIREMENT))
    assert format_log_keys(keys) == f"{log.old.vkey} until 5\n{log.new.vkey}\n"
    assert log.verify(*keys) is None


def test_a_statement_can_be_had_long_afterwards(log: TwoKeys) -> None:
    log.begin()
    early = log.statement(HANDOVER)
    log.retire()
    for _ in range(3):
        log.append()
    assert log.statement(HANDOVER) == early


def test_who_trusts_neither_key_is_led_nowhere(log: TwoKeys, tmp_path: Path) -> None:
    log.begin()
    log.retire()
    stranger = generate_signing_key(tmp_path / "s.key", ORIGIN).verifier()
    with pytest.raises(VerificationFailed):
        follow([stranger], log.statement(HANDOVER))
    with pytest.raises(VerificationFailed):
        follow([log.old.verifier()], log.statement(RETIREMENT))


def test_a_receipt_of_another_entry_states_no_change(log: TwoKeys) -> None:
    opened = log.open()
    with pytest.raises(MalformedReceipt, match="something else"):
        follow([log.old.verifier()], opened.receipt(1).text)
    opened.close()


def _statement(change: KeyChange, *signers: Signer, source: str = "log", **changes: object) -> str:
    """A receipt of a log that holds nothing but this statement."""
    access = Access(
        **{"action": change.kind, "outcome": "done", "source": source, "occurred_at": an_access().occurred_at,
           "details": change.details()} | changes  # type: ignore[arg-type]
    )  # fmt: skip
    body, secret = encode_body(access), bytes(32)
    leaf = encode_leaf(
        Leaf(log=ORIGIN, seq=0, time_ms=1, source=access.source, source_seq=0, label=bytes(32),
             commitment=commit(secret, body), prev=bytes(32))
    )  # fmt: skip
    signed = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(leaf)), signers)
    return Receipt(leaf, TlogProof(0, (), signed.text), body, secret).text


def test_a_true_statement_of_our_own_making_is_followed(log: TwoKeys) -> None:
    change = KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0)
    assert len(follow([log.old.verifier()], _statement(change, log.old, log.new))) == 2


def _other_name(log: TwoKeys) -> Ed25519Signer:
    path = log.new_file.with_name("other.key")
    return generate_signing_key(path, "other.example/log")


FALSE_STATEMENTS: dict[str, Callable[[TwoKeys], str]] = {
    "a handover that the new key did not sign": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0), log.old
    ),
    "a handover that the old key did not sign": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0), log.new
    ),
    "a handover from a key that is not trusted": lambda log: _statement(
        KeyChange(HANDOVER, log.new.verifier(), log.new.verifier(), 0), log.old, log.new
    ),
    "a handover stated by a caller of the log": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0), log.old, log.new, source="portal"
    ),
    "a handover to another log's key": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), _other_name(log).verifier(), 0), log.old, log.new
    ),
    "a handover without keys": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0), log.old, log.new, details={"at": 0}
    ),
    "a handover to what is no key": lambda log: _statement(
        KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 0), log.old, log.new,
        details={"old-key": log.old.vkey, "new-key": "x", "at": 0},
    ),
    "a retirement in favour of a key that is not trusted": lambda log: _statement(
        KeyChange(RETIREMENT, log.old.verifier(), log.new.verifier(), 0), log.old, log.new
    ),
    "the loss of a key": lambda log: _statement(
        KeyChange(LOSS, log.old.verifier(), log.new.verifier(), 0), log.old, log.new
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", FALSE_STATEMENTS)
def test_a_false_statement_leads_nobody_to_another_key(tmp_path: Path, sqlite_url: str, lie: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    new = generate_signing_key(tmp_path / "keys" / "new.key", ORIGIN)
    log = TwoKeys(home, load_signer(home.settings.signing_key), new, tmp_path / "keys" / "new.key")
    with pytest.raises((VerificationFailed, MalformedReceipt, InvalidProof)):
        follow([log.old.verifier()], FALSE_STATEMENTS[lie](log))


def test_a_signature_added_to_the_checkpoint_of_another_entry_states_nothing(log: TwoKeys) -> None:
    """A stranger can sign any checkpoint; only an entry of the log's own can name their key."""
    opened = log.open()
    receipt = opened.receipt(1)
    opened.close()
    note = receipt.proof.checkpoint
    added = note + sign_text(note.partition("\n\n")[0] + "\n", log.new).line()
    forged = replace(receipt, proof=replace(receipt.proof, checkpoint=added))
    assert parse_receipt(forged.text) == forged
    with pytest.raises(MalformedReceipt, match="something else"):
        follow([log.old.verifier()], forged.text)


def test_only_the_logs_own_entries_tell_of_keys(log: TwoKeys) -> None:
    change = KeyChange(HANDOVER, log.old.verifier(), log.new.verifier(), 3)
    assert key_change_of(an_access(action=HANDOVER, details=change.details())) is None
    opened = log.home.open()
    opened.append(an_access(action=RETIREMENT, details=change.details()))
    assert opened.verify().ok, "an entry by somebody else retires no key"
    opened.close()


# When a key is lost.


def test_when_the_signing_key_is_lost_the_log_goes_on_under_a_new_one_that_is_trusted_anew(log: TwoKeys) -> None:
    log.home.settings.signing_key.unlink()  # type: ignore[union-attr]
    with pytest.raises(KeyRefused, match="no signing key"):
        log.home.open()
    with pytest.raises(LogFrozen):
        log.open(log.new_alone)
    with log.parts(log.new_alone, log.old.verifier()) as parts:
        assert go_on_without(parts, log.old.verifier()) is not None
        assert go_on_without(parts, log.old.verifier()) is None
        [(seq, statement)] = statements(parts)
    assert seq == 3
    assert log.append(log.new_alone) == 4
    assert log.signed_by() == [log.new.key_id]
    with pytest.raises(VerificationFailed):
        follow([log.old.verifier()], statement.text)
    with pytest.raises(VerificationFailed, match="vouches for no other"):
        follow([log.new.verifier()], statement.text)
    assert log.verify(log.old.verifier()) is not None, "who knows the lost key alone believes nothing new"
    assert log.verify(LogKey(log.old.verifier(), 3), log.new.verifier()) is None
    opened = log.open(log.new_alone)
    assert opened.verify().ok
    opened.close()


def test_a_thief_of_the_lost_key_signs_nothing_that_is_believed(log: TwoKeys) -> None:
    with log.parts(log.new_alone, log.old.verifier()) as parts:
        go_on_without(parts, log.old.verifier())
    keys = [LogKey(log.old.verifier(), 3), log.new.verifier()]
    with pytest.raises(VerificationFailed, match="retired"):
        open_checkpoint(_forged(log.old, 4), ORIGIN, keys)
    with pytest.raises(LogFrozen):
        log.home.open()


def test_either_key_may_be_lost_in_the_overlap(log: TwoKeys) -> None:
    log.begin()
    with log.parts(log.home.settings) as parts:
        assert go_on_without(parts, log.new.verifier()) is not None
    assert log.signed_by() == [log.old.key_id]
    assert log.append(log.home.settings) == 5
    opened = log.open(log.home.settings)
    assert opened.verify().ok
    opened.close()
    assert log.verify(log.old.verifier()) is None


def test_the_new_key_retires_a_lost_old_one_in_the_overlap_by_itself(log: TwoKeys) -> None:
    log.begin()
    with log.parts(log.new_alone) as parts:
        assert retire_old_key(parts) is not None
    assert log.verify(log.old.verifier(), log.new.verifier()) is None


def test_a_broken_log_is_not_signed_by_a_new_key(log: TwoKeys) -> None:
    engine = create_engine(log.home.settings.database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            connection.execute(text("DROP TRIGGER bodies_refuses_update"))
        connection.execute(text("UPDATE bodies SET outcome = 'denied' WHERE seq = 1"))
    engine.dispose()
    with (
        log.parts(log.new_alone, log.old.verifier()) as parts,
        pytest.raises(VerificationFailed, match="no new key signs"),
    ):
        go_on_without(parts, log.old.verifier())
    assert log.signed_by() == [log.old.key_id]


def test_a_key_that_is_held_is_not_declared_lost(log: TwoKeys) -> None:
    with log.parts() as parts, pytest.raises(KeyRefused, match="holds the key"):
        go_on_without(parts, log.old.verifier())


# After a rollback.


def test_a_backup_from_before_the_handover_goes_on_under_the_newest_keys(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    opened = home.open()
    opened.append_all([an_access() for _ in range(3)])
    opened.close()
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{tmp_path / 'backup.db'}'"))
    engine.dispose()
    new = generate_signing_key(tmp_path / "keys" / "new.key", ORIGIN)
    log = TwoKeys(home, load_signer(home.settings.signing_key), new, tmp_path / "keys" / "new.key")
    log.begin()
    log.retire()
    back = replace(log, home=home.at(f"sqlite:///{tmp_path / 'backup.db'}"))
    with pytest.raises(LogFrozen, match="older backup"):
        back.open()
    acknowledged = recover_log(back.new_alone, clock=TickingClock(), besides=[LogKey(log.old.verifier(), 4)])
    assert acknowledged is not None
    assert back.signed_by() == [new.key_id], "a retired key signs no more, though the restored database knows no other"
    assert back.append(back.new_alone) == 4
    assert back.verify(LogKey(log.old.verifier(), 4), new.verifier()) is None


# The command.


def _run(log: TwoKeys, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    keys = log.new_file.parent
    settings = log.home.settings
    given = {
        "GLASSHOUSE_LOG_DATABASE_URL": settings.database_url,
        "GLASSHOUSE_LOG_CHECKPOINT_FILE": str(settings.checkpoint_file),
        "GLASSHOUSE_LOG_MASTER_KEY_FILE": str(keys / "master_key.txt"),
        "GLASSHOUSE_LOG_SIGNING_KEY": str(keys / "log.key"),
        "GLASSHOUSE_LOG_VKEY": str(keys / "log.vkey"),
    }
    return run_audit(arguments, **given | variables)


def test_the_command_hands_over_and_keeps_the_published_keys(log: TwoKeys) -> None:
    keys, next_key = log.new_file.parent / "log.vkey", str(log.new_file)
    pinned = keys.with_name("pinned.vkey")
    pinned.write_text(keys.read_text())
    told = _run(log, "rotate-signing-key", "begin", "--next-signing-key", next_key)
    assert (told.returncode, log.signed_by()) == (1, [log.old.key_id])
    told = _run(log, "rotate-signing-key", "begin", "--next-signing-key", next_key, "--yes")
    assert told.returncode == 0, told.stderr
    assert keys.read_text() == f"{log.old.vkey}\n{log.new.vkey}\n"
    assert _run(log, "verify").returncode == 0
    told = _run(log, "rotate-signing-key", "retire", "--signing-key", next_key, "--yes")
    assert told.returncode == 0, told.stderr
    assert keys.read_text() == f"{log.old.vkey} until 4\n{log.new.vkey}\n"
    told = _run(log, "verify")
    assert told.stdout.startswith("SOUND"), told
    told = _run(log, "verify", "--vkey", log.old.vkey, "--vkey", log.new.vkey)
    assert told.stdout.startswith("SOUND"), told
    statements = sorted(map(str, keys.parent.glob("log.change-*.receipt")))
    assert len(statements) == 2
    told = _run(log, "follow-keys", "--vkey", str(pinned), *statements)
    assert told.stdout == keys.read_text()
    told = _run(log, "follow-keys", "--vkey", str(pinned), statements[1])
    assert (told.returncode, told.stderr.startswith("FALSE")) == (1, True)
    again = _run(log, "rotate-signing-key", "retire", "--signing-key", next_key, "--yes")
    assert "done before" in again.stdout


def test_the_command_goes_on_without_a_lost_key(log: TwoKeys) -> None:
    keys, next_key = log.new_file.parent / "log.vkey", str(log.new_file)
    log.home.settings.signing_key.unlink()  # type: ignore[union-attr]
    for wrong in (
        ["begin", "--lost-vkey", log.old.vkey, "--yes"],
        ["lost", "--yes"],
        ["lost", "--lost-vkey", "nonsense", "--yes"],
    ):
        assert _run(log, "rotate-signing-key", *wrong, "--signing-key", next_key).returncode == 2
    told = _run(log, "rotate-signing-key", "lost", "--lost-vkey", str(keys), "--signing-key", next_key, "--yes")
    assert told.returncode == 0, told.stderr
    assert keys.read_text() == f"{log.old.vkey} until 3\n{log.new.vkey}\n"
    assert _run(log, "verify").stdout.startswith("SOUND")
