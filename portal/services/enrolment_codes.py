"""Codes by which somebody sets their first password and passkey: random, shown once, kept as digests, used once.

Where it takes two administrators, the code has two halves and each of them sees one: neither can enrol in the person's
place.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.errors import PortalError
from portal.domain.staff import Standing
from portal.models.staff import EnrolmentCode, StaffCredentials
from portal.services.clock import Clock

_BYTES = 24
#: The second half is typed by hand: 60 random bits without letters that look like digits, and few tries.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_SECOND_LENGTH = 12
_SECOND_GROUP = 4
_TRIES = 5
_MAXIMUM = 100


class CodeProblem(StrEnum):
    """Why a code does not open."""

    #: Never made, used, replaced, run out, or taken away: the answer is the same for all.
    UNKNOWN = "unknown"
    NOT_YET = "not-yet"
    SECOND_WRONG = "second-wrong"


class CodeRefused(PortalError):
    """The code does not open. The page says why; `opens_at` is given for one that comes too early."""

    def __init__(self, problem: CodeProblem, opens_at: datetime | None = None) -> None:
        super().__init__(f"enrolment code: {problem}")
        self.problem = problem
        self.opens_at = opens_at


@dataclass(frozen=True, slots=True)
class OpenedCode:
    """Whose code it is, and whether a second half is asked for."""

    account_id: str
    needs_second: bool


def new_code() -> str:
    """The half that goes into a link."""
    return secrets.token_urlsafe(_BYTES)


def new_second_half() -> str:
    """The half that is told from one person to another, in groups of four."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_SECOND_LENGTH))
    return "-".join(letters[start : start + _SECOND_GROUP] for start in range(0, _SECOND_LENGTH, _SECOND_GROUP))


def digest_of(code: str) -> bytes:
    """Letters, digits and the two signs of a link count; what gets in between on the way does not."""
    kept = "".join(
        character for character in code if character.isascii() and (character.isalnum() or character in "-_")
    )
    return hashlib.sha256(kept.encode()).digest()


class EnrolmentCodes:
    """The table of codes. An account has one at most; a new one replaces it."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def put(
        self,
        session: Session,
        account_id: str,
        digest: bytes,
        *,
        opens_at: datetime,
        ends_at: datetime,
        second_half: str | None = None,
    ) -> None:
        """Keep the digests of a code, in the caller's transaction."""
        self.void(session, account_id)
        session.add(
            EnrolmentCode(
                account_id=account_id,
                digest=digest,
                second_digest=None if second_half is None else digest_of(_typed(second_half)),
                opens_at=opens_at,
                ends_at=ends_at,
            )
        )
        session.flush()

    def void(self, session: Session, account_id: str) -> None:
        """The account's code opens nothing from here on, in the caller's transaction."""
        session.execute(delete(EnrolmentCode).where(EnrolmentCode.account_id == account_id))

    def opened(self, code: str) -> OpenedCode:
        """Whose code this is. Raises CodeRefused."""
        with self._sessions() as session:
            row = self._row(session, code)
            return OpenedCode(row.account_id, row.second_digest is not None)

    def check_second(self, code: str, second_half: str) -> None:
        """Raises CodeRefused. After five wrong halves the code is gone."""
        with self._sessions() as session:
            row = self._row(session, code)
        is_right = row.second_digest is None or secrets.compare_digest(
            row.second_digest, digest_of(_typed(second_half[:_MAXIMUM]))
        )
        if is_right:
            return
        this = EnrolmentCode.digest == row.digest
        with self._sessions.begin() as session:
            session.execute(update(EnrolmentCode).where(this).values(wrong_seconds=EnrolmentCode.wrong_seconds + 1))
            session.execute(delete(EnrolmentCode).where(this, EnrolmentCode.wrong_seconds >= _TRIES))
        raise CodeRefused(CodeProblem.SECOND_WRONG)

    def use_up(self, session: Session, code: str) -> None:
        """In the caller's transaction: of two that use one code at once, one finds it gone. Raises CodeRefused."""
        gone = session.execute(delete(EnrolmentCode).where(EnrolmentCode.digest == digest_of(code)))
        if int(getattr(gone, "rowcount", 0)) != 1:
            raise CodeRefused(CodeProblem.UNKNOWN)

    def _row(self, session: Session, code: str) -> EnrolmentCode:
        row = None
        if 0 < len(code) <= _MAXIMUM:
            row = session.scalar(select(EnrolmentCode).where(EnrolmentCode.digest == digest_of(code)))
        now = self._clock()
        if row is None or now >= row.ends_at:
            raise CodeRefused(CodeProblem.UNKNOWN)
        credentials = session.get(StaffCredentials, row.account_id)
        if credentials is None or credentials.standing not in {Standing.INVITED, Standing.RECOVERING}:
            raise CodeRefused(CodeProblem.UNKNOWN)
        if now < row.opens_at:
            raise CodeRefused(CodeProblem.NOT_YET, row.opens_at)
        return row


def _typed(second_half: str) -> str:
    """As it was meant: case, hyphens and spaces do not matter."""
    return "".join(character for character in second_half.upper() if character.isalnum())
