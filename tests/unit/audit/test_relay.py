"""Processes of one host hand their entries to one of them, and lose, double or falsely acknowledge none."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from audit import relay
from audit.entry import encode_body, leaf_hash
from audit.errors import IdempotencyConflict, KeyRefused, LogOverloaded, LogUnavailable
from audit.log import AuditLog, TrailQuery
from tests.factories.logs import LogHome, an_access


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    made = LogHome.make(tmp_path, database_url)
    return replace(made, settings=replace(made.settings, relay_folder=tmp_path / "relay"))


@pytest.fixture
def leader(home: LogHome) -> Iterator[AuditLog]:
    """The log as the process has it that appended first."""
    log = home.open()
    log.append(an_access(case="first"))
    yield log
    log.close()


@pytest.fixture
def other(home: LogHome, leader: AuditLog) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


def _leads(log: AuditLog) -> bool:
    assert log._opened.relay is not None
    return log._opened.relay._desk is not None


def _refuse_to_write(monkeypatch: pytest.MonkeyPatch, log: AuditLog) -> None:
    def write(_request: object) -> None:
        raise AssertionError("it was to be handed over")

    monkeypatch.setattr(log._writer, "write", write)


def test_who_comes_first_leads_and_writes_what_the_others_hand_over(
    home: LogHome, leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refuse_to_write(monkeypatch, other)
    told = [other.append(an_access(case="one")), *other.append_all([an_access(case="two"), an_access(case="three")])]
    assert (_leads(leader), _leads(other)) == (True, False)
    assert [one.seq for one in told] == [1, 2, 3]
    assert [one.tree_size for one in told] == [2, 4, 4]
    for one, case in zip(told, ("one", "two", "three"), strict=True):
        entry = other.entry(one.seq)
        assert entry.access == an_access(case=case)
        assert leaf_hash(other.receipt(one.seq).leaf) == one.leaf_hash
        assert entry.logged_at == one.logged_at
    assert home.verify().ok


def test_a_retry_is_answered_with_the_first_acknowledgement_whoever_wrote_it(leader: AuditLog, other: AuditLog) -> None:
    first = leader.append(an_access(), idempotency_key="one")
    again = other.append(an_access(), idempotency_key="one")
    assert (again.seq, again.leaf_hash) == (first.seq, first.leaf_hash)
    with pytest.raises(IdempotencyConflict):
        other.append(an_access(case="another"), idempotency_key="one")
    assert leader.checkpoint().checkpoint.size == 2


def test_what_fills_a_transaction_by_itself_is_not_handed_over(leader: AuditLog, other: AuditLog) -> None:
    told = other.append_all([an_access() for _ in range(relay.MAX_HANDED_OVER + 1)])
    assert told[-1].seq == relay.MAX_HANDED_OVER + 1
    assert not _leads(other)


def test_a_leaders_full_queue_is_told_to_the_other_process(
    leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_request: object) -> None:
        raise LogOverloaded("full", retry_after=1.0)

    monkeypatch.setattr(leader._writer, "enqueue", refuse)
    with pytest.raises(LogOverloaded):
        other.append(an_access())


def test_when_the_leader_leaves_another_process_leads(home: LogHome, leader: AuditLog, other: AuditLog) -> None:
    assert other.append(an_access()).seq == 1
    leader.close()
    assert [other.append(an_access()).seq for _ in range(2)] == [2, 3]
    assert _leads(other)
    assert home.verify().ok


def test_what_a_leader_wrote_before_it_died_is_found_and_not_written_again(
    home: LogHome, leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(request: relay._Handed) -> None:
        request.line.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(relay._Handed, "finish", die)
    told = other.append_all([an_access(case="one"), an_access(case="two")])
    assert [(one.seq, one.tree_size) for one in told] == [(1, 3), (2, 3)]
    assert [leaf_hash(other.receipt(one.seq).leaf) for one in told] == [one.leaf_hash for one in told]
    assert [item.access.case for item in other.stream(TrailQuery()) if item.access] == ["first", "one", "two"]
    assert home.verify().ok


def test_what_a_leader_had_not_written_when_it_died_is_written_once(
    home: LogHome, leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_desk: relay._Desk, request: relay._Handed) -> None:
        request.line.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(relay._Desk, "_enqueue", die)
    assert other.append(an_access(case="one")).seq == 1
    assert [item.access.case for item in other.stream(TrailQuery()) if item.access] == ["first", "one"]
    assert home.verify().ok


def test_a_leader_writes_nothing_for_a_caller_who_has_hung_up(leader: AuditLog) -> None:
    ours, theirs = socket.socketpair()
    access = an_access(case="gone")
    request = relay._Handed([access], [encode_body(access)], line=ours, pen=threading.Semaphore(0))
    theirs.close()
    leader._writer.enqueue(request)
    leader._writer.lead()
    ours.close()
    assert leader.checkpoint().checkpoint.size == 1
    assert leader.append(an_access()).seq == 1


def test_a_process_whose_leader_cannot_sign_writes_for_itself(
    leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While keys are rotated, one process may lack a key that the next one holds."""

    def refuse(_note: str) -> None:
        raise KeyRefused("not held")

    monkeypatch.setattr(leader._writer._signers, "after", refuse)
    assert other.append(an_access()).seq == 1


def test_whoever_speaks_nonsense_at_the_socket_is_hung_up_on(home: LogHome, leader: AuditLog, other: AuditLog) -> None:
    assert leader._opened.relay is not None
    for nonsense in (b"\xff\xff\xff\xff", b"\0\0\0\x01\0", b"\0\0\0\x09\0\0\0\0\0\0\0\0\0", b"\0\0\0\x02\0\xff"):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            line.connect(leader._opened.relay._address)
            line.sendall(nonsense)
            assert line.recv(1) == b""
    assert other.append(an_access()).seq == 1
    assert home.verify().ok


def test_nobody_but_the_logs_owner_reaches_the_socket(home: LogHome, leader: AuditLog, tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


def test_a_folder_that_others_may_enter_is_refused(home: LogHome, tmp_path: Path) -> None:
    (tmp_path / "relay").mkdir(mode=0o700)
    (tmp_path / "relay").chmod(0o750)
    with pytest.raises(LogUnavailable, match="0700"):
        home.open()


def test_a_process_of_another_user_is_not_listened_to(
    leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_is_ours", lambda _line: False)
    assert other.append(an_access()).seq == 1
    assert not _leads(other)


def test_what_a_dead_leader_wrote_is_acknowledged_only_once_it_is_durable(
    leader: AuditLog, other: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leader may have died between its commit and the disk; the caller who finds the entry has to see to that."""
    other.append(an_access(case="connected"))
    monkeypatch.setattr(relay._Handed, "finish", lambda request: request.line.shutdown(socket.SHUT_RDWR))

    def refuse() -> None:
        raise LogUnavailable("the disk refuses")

    monkeypatch.setattr(other._opened.store, "settle", refuse)
    with pytest.raises(LogUnavailable, match="the disk refuses"):
        other.append(an_access(case="found"))
    monkeypatch.undo()
    assert [item.access.case for item in other.stream(TrailQuery()) if item.access][-1] == "found"


@contextmanager
def _forked() -> Iterator[dict[str, object]]:
    """A child forked from this process, which does nothing until it is over; what it holds of the relays."""
    told, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            held = [one for one in relay._relays if one._desk is not None or one._lines or one._electing.locked()]
            os.write(told[1], json.dumps({"held": len(held)}).encode())
            os.close(go_on[1])
            os.read(go_on[0], 1)
        finally:
            os._exit(0)
    try:
        yield json.loads(os.read(told[0], 1000))
    finally:
        for end in (*told, *go_on):
            os.close(end)
        assert os.waitpid(child, 0)[1] == 0


def test_a_forked_child_leads_nothing_and_keeps_nobody_from_leading(
    sqlite_home: LogHome, leading: AuditLog, beside: AuditLog
) -> None:
    with leading._opened.relay._electing, _forked() as child:  # type: ignore[union-attr]
        assert child == {"held": 0}, "not even the lock that was taken while it forked"
    with _forked():
        leading.close()
        beside.append(an_access(case="after the leader left"))
        assert _leads(beside), "the child, which lives, has let go of the lock"
    assert sqlite_home.verify().ok


def test_a_leader_sees_a_caller_hang_up_though_a_forked_child_of_the_callers_lives(
    leading: AuditLog, beside: AuditLog
) -> None:
    beside.append(an_access(case="connected"))
    desk = leading._opened.relay._desk  # type: ignore[union-attr]
    assert desk is not None
    assert len(desk._buffers) == 1
    with _forked():
        beside.close()
        waited = threading.Event()
        for _ in range(200):
            if not desk._buffers:
                break
            waited.wait(0.01)
        assert not desk._buffers


def test_the_parent_of_a_forked_child_leads_on(leading: AuditLog, beside: AuditLog) -> None:
    with _forked():
        assert _leads(leading)
        assert beside.append(an_access(case="handed over")).seq == 1
        assert not _leads(beside)


@pytest.fixture
def sqlite_home(tmp_path: Path, sqlite_url: str) -> LogHome:
    made = LogHome.make(tmp_path, sqlite_url)
    return replace(made, settings=replace(made.settings, relay_folder=tmp_path / "relay"))


@pytest.fixture
def leading(sqlite_home: LogHome) -> Iterator[AuditLog]:
    log = sqlite_home.open()
    log.append(an_access(case="first"))
    yield log
    log.close()


@pytest.fixture
def beside(sqlite_home: LogHome, leading: AuditLog) -> Iterator[AuditLog]:
    log = sqlite_home.open()
    yield log
    log.close()
