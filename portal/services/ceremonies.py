"""Challenges to authenticators: random, kept here, answered once, soon, and by the browser that asked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from portal.models.staff import Ceremony
from portal.services.clock import Clock

#: Time to find one's key, touch it and type a PIN.
LIFETIME = timedelta(minutes=10)
#: Web Authentication, section 13.4.3 asks for 16 at least.
_BYTES = 32
_MAXIMUM_TOKEN = 100


class Asked(StrEnum):
    """What an answer is for. One that was given for something else finds no challenge."""

    ENROL = "enrol"
    ADD = "add"
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Challenge:
    """`token` goes into the page's form and finds the challenge again; it says nothing."""

    token: str
    challenge: bytes


class Ceremonies:
    """The table of challenges that wait for an answer."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def begin(self, asked: Asked, browser: str, account_id: str | None = None) -> Challenge:
        """A new challenge. Those that nobody answered in time are forgotten on the way."""
        begun = Challenge(secrets.token_urlsafe(_BYTES), secrets.token_bytes(_BYTES))
        now = self._clock()
        row = Ceremony(
            token_digest=_digest(begun.token),
            purpose=asked,
            challenge=begun.challenge,
            browser_digest=_digest(browser),
            account_id=account_id,
            ends_at=now + LIFETIME,
        )
        with self._sessions.begin() as session:
            session.execute(delete(Ceremony).where(Ceremony.ends_at <= now))
            session.add(row)
        return begun

    def take(self, token: str, asked: Asked, browser: str, account_id: str | None = None) -> bytes | None:
        """The challenge, this once; None when there is none that fits. A wrong answer uses it up as well."""
        if not 0 < len(token) <= _MAXIMUM_TOKEN:
            return None
        with self._sessions.begin() as session:
            row = session.get(Ceremony, _digest(token))
            if row is None:
                return None
            fits = (
                row.purpose == asked
                and row.account_id == account_id
                and secrets.compare_digest(row.browser_digest, _digest(browser))
                and self._clock() < row.ends_at
            )
            challenge = row.challenge
            session.expunge(row)
            # Of two requests with one token the database deletes the row for one only.
            gone = session.execute(delete(Ceremony).where(Ceremony.token_digest == _digest(token)))
            return challenge if fits and int(getattr(gone, "rowcount", 0)) == 1 else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
