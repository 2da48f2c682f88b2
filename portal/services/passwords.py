"""Passwords at rest: argon2id, sealed under the master key, made anew when the parameters rise."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from portal.models.staff import StaffCredentials
from portal.services.clock import Clock
from portal.services.sealing import Sealer

#: The parameters that OWASP's Password Storage Cheat Sheet names first: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: After so many wrong passwords in a row, no further one is tried for a while (NIST SP 800-63B, 3.2.2 allows 100).
WRONG_IN_A_ROW = 5
LOCKED_FOR = timedelta(minutes=15)


class Check(StrEnum):
    """What came of a password."""

    RIGHT = "right"
    WRONG = "wrong"
    #: Wrong, and the last that may be tried for a while.
    LOCKS = "locks"
    LOCKED = "locked"


class Passwords:
    """Sets and checks the passwords of accounts. Each check digests one password, whoever it is for."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, clock: Clock, *, hasher: PasswordHasher = _HASHER
    ):
        self._sessions = sessions
        self._sealer = sealer
        self._clock = clock
        self._hasher = hasher
        self._of_nobody = hasher.hash("nobody's")

    def put(self, row: StaffCredentials, password: str) -> None:
        """Make `password` the account's, in the caller's transaction."""
        row.sealed_password = self._sealer.seal(self._hasher.hash(password), _context(row.account_id))
        row.wrong_passwords = 0
        row.locked_until = None

    def check(self, account_id: str | None, password: str) -> Check:
        """Whether `password` is the account's. Nobody's takes as long to be wrong."""
        row = self._row(account_id)
        digest = self._of_nobody
        if row is not None and row.sealed_password is not None:
            digest = self._sealer.unseal(row.sealed_password, _context(row.account_id))
        is_right = self._matches(digest, password)
        if row is None or row.sealed_password is None:
            return Check.WRONG
        if row.locked_until is not None and self._clock() < row.locked_until:
            return Check.LOCKED
        if not is_right:
            return self._count_wrong(row.account_id)
        self._note_right(row.account_id, password if self._hasher.check_needs_rehash(digest) else None)
        return Check.RIGHT

    def locked_until(self, account_id: str) -> datetime | None:
        row = self._row(account_id)
        return None if row is None else row.locked_until

    def _row(self, account_id: str | None) -> StaffCredentials | None:
        with self._sessions() as session:
            return None if account_id is None else session.get(StaffCredentials, account_id)

    def _matches(self, digest: str, password: str) -> bool:
        try:
            return self._hasher.verify(digest, password)
        except VerifyMismatchError:
            return False

    def _count_wrong(self, account_id: str) -> Check:
        one = update(StaffCredentials).where(StaffCredentials.account_id == account_id)
        more = one.values(wrong_passwords=StaffCredentials.wrong_passwords + 1)
        with self._sessions.begin() as session:
            count = session.scalar(more.returning(StaffCredentials.wrong_passwords)) or 0
            if count < WRONG_IN_A_ROW:
                return Check.WRONG
            session.execute(one.values(wrong_passwords=0, locked_until=self._clock() + LOCKED_FOR))
            return Check.LOCKS

    def _note_right(self, account_id: str, to_digest_anew: str | None) -> None:
        values: dict[str, object] = {"wrong_passwords": 0, "locked_until": None}
        if to_digest_anew is not None:
            values["sealed_password"] = self._sealer.seal(self._hasher.hash(to_digest_anew), _context(account_id))
        with self._sessions.begin() as session:
            session.execute(update(StaffCredentials).where(StaffCredentials.account_id == account_id).values(values))


def _context(account_id: str) -> str:
    return f"password/{account_id}"
