"""Checking one log on several cores: each process reads and checks stretches of it, and one joins what they found.

The process that was asked checks as well, from the end towards the others: it need not wait until they have started.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from sqlalchemy import Connection

from audit import store
from audit.checkpoint import Checkpoint, format_log_keys, parse_log_keys
from audit.errors import LogUnavailable
from audit.joining import RANGE, check_stretch, join_stretches
from audit.keys import MasterKey
from audit.note import Verifier
from audit.rows import INDEX_KEY
from audit.source import StoredLog
from audit.store import Store
from audit.stored import Stretch, VerificationReport
from audit.vault import Vault

#: The size of a log from which it is worth starting processes: below, that takes longer than checking.
SHARED_FROM = 2**17


@dataclass(frozen=True, slots=True)
class Shared:
    """What every process needs to know, in a form that can be sent to it. Never shown: it may hold the master keys."""

    database_url: str = field(repr=False)
    origin: str
    keys: str
    master_key: str | None = field(default=None, repr=False)
    previous_master_key: str | None = field(default=None, repr=False)
    earlier: tuple[Checkpoint, ...] = ()


def verify_on_cores(
    database_url: str,
    origin: str,
    verifiers: Sequence[Verifier],
    master_key: MasterKey | None,
    previous_master_key: MasterKey | None,
    earlier: Sequence[Checkpoint],
    jobs: int,
    progress: Callable[[int, int], None] | None,
    witnesses: Sequence[Verifier] = (),
) -> VerificationReport:
    """As `verify_log`, on `jobs` processes (two or more); entries that are appended meanwhile are not looked at.

    Raises:
        LogUnavailable: the database cannot be read or holds no log.
    """
    shared = Shared(
        database_url,
        origin,
        format_log_keys(verifiers),
        None if master_key is None else master_key.to_text(),
        None if previous_master_key is None else previous_master_key.to_text(),
        tuple(earlier),
    )
    process = _Process(shared)
    try:
        with process.log.reading() as connection:
            source = StoredLog(connection, process.vault, witnesses)
            claimed, _ = source.head()
            end = min(claimed, source.end())

            def check(bounds: tuple[int, int]) -> Stretch:
                return process.check(connection, bounds)

            return join_stretches(source, origin, verifiers, earlier, _stretches(shared, end, jobs, check, progress))
    finally:
        process.log.close()


def _stretches(
    shared: Shared,
    end: int,
    jobs: int,
    check: Callable[[tuple[int, int]], Stretch],
    progress: Callable[[int, int], None] | None,
) -> list[Stretch]:
    """What was found of each stretch, up to the first that is broken."""
    bounds = [(first, min(first + RANGE, end)) for first in range(0, end, RANGE)]
    # Spawned, not forked: whoever calls may have threads, and connections that two processes must not share.
    pool = ProcessPoolExecutor(jobs - 1, get_context("spawn"), _begin, (shared,))
    try:
        others = [pool.submit(_check, one) for one in bounds]
        own: dict[int, Stretch] = {}
        for place in range(len(bounds) - 1, -1, -1):
            # Only what no other process has begun can be taken from them; of what lies behind a break nothing is said.
            if not others[place].cancel():
                break
            if not any(_is_broken(other) for other in others[:place]):
                own[place] = check(bounds[place])
                if progress is not None:
                    progress(min(end, (len(own) + sum(other.done() for other in others[:place])) * RANGE), end)
        found: list[Stretch] = []
        for place, other in enumerate(others):
            found.append(own[place] if place in own else other.result())
            if found[-1].broken is not None:
                break
        if progress is not None:
            progress(end, end)
        return found
    finally:
        pool.shutdown(cancel_futures=True)


def _is_broken(other: Future[Stretch]) -> bool:
    return other.done() and not other.cancelled() and other.result().broken is not None


class _Process:
    """What one process keeps from stretch to stretch."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.log = Store(shared.database_url)
        self.verifiers = parse_log_keys(shared.keys)
        self.vault = None if shared.master_key is None else self._vault(shared.master_key)

    def _vault(self, master_key: str) -> Vault:
        with self.log.reading() as connection:
            wrapped = store.read_vault_key(connection, INDEX_KEY)
        if wrapped is None:
            raise LogUnavailable("the database holds no log")
        previous = self.shared.previous_master_key
        return Vault(
            MasterKey.from_text(master_key), wrapped, None if previous is None else MasterKey.from_text(previous)
        )

    def check(self, connection: Connection, bounds: tuple[int, int]) -> Stretch:
        source = StoredLog(connection, self.vault)
        return check_stretch(source, self.shared.origin, self.verifiers, self.shared.earlier, *bounds)


_process: list[_Process] = []


def _begin(shared: Shared) -> None:
    _process.append(_Process(shared))


def _check(bounds: tuple[int, int]) -> Stretch:
    process = _process[0]
    with process.log.reading() as connection:
        return process.check(connection, bounds)
