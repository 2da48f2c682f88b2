"""Checking one log on several cores: each process reads and checks stretches of it, and one joins what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from audit import store
from audit.checkpoint import Checkpoint, format_log_keys, parse_log_keys
from audit.errors import LogUnavailable
from audit.keys import MasterKey
from audit.note import Verifier
from audit.replay import RANGE, Stretch, check_stretch, join_stretches
from audit.rows import INDEX_KEY
from audit.source import StoredLog
from audit.store import Store
from audit.stored import VerificationReport
from audit.vault import Vault


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
) -> VerificationReport:
    """As `verify_log`, on `jobs` processes; entries that are appended meanwhile are not looked at.

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
    log = Store(database_url)
    try:
        with log.reading() as connection:
            source = StoredLog(connection, None)
            claimed, _ = source.head()
            end = min(claimed, source.end())
            return join_stretches(source, origin, verifiers, earlier, _stretches(shared, end, jobs, progress))
    finally:
        log.close()


def _stretches(shared: Shared, end: int, jobs: int, progress: Callable[[int, int], None] | None) -> list[Stretch]:
    """What was found of each stretch, up to the first that is broken."""
    found: list[Stretch] = []
    bounds = [(first, min(first + RANGE, end)) for first in range(0, end, RANGE)]
    # Spawned, not forked: whoever calls may have threads, and connections that two processes must not share.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (shared,))
    try:
        for stretch in pool.map(_check, bounds):
            found.append(stretch)
            if progress is not None:
                progress(stretch.end, end)
            if stretch.broken is not None:
                break
    finally:
        pool.shutdown(cancel_futures=True)
    return found


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


_process: list[_Process] = []


def _begin(shared: Shared) -> None:
    _process.append(_Process(shared))


def _check(bounds: tuple[int, int]) -> Stretch:
    process = _process[0]
    with process.log.reading() as connection:
        source = StoredLog(connection, process.vault)
        return check_stretch(source, process.shared.origin, process.verifiers, process.shared.earlier, *bounds)
