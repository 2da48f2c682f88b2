"""Sign-ins under way at a provider: what must come back unchanged, used once, soon, and by the same browser."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from portal.models.sign_in_attempts import SignInAttempt
from portal.services.clock import Clock
from portal.services.sealing import Sealer

#: Long enough to find one's ID card and its PIN, too short to keep a link for later.
LIFETIME = timedelta(minutes=15)
#: 256 random bits; as a PKCE verifier this gives the 43 characters that RFC 7636, section 4.1 asks for at least.
_BYTES = 32
_MAXIMUM_STATE = 200


@dataclass(frozen=True, slots=True)
class Aim:
    """What a sign-in is begun for: the page to open then, and the level it must reach.

    A step-up names the `session` that it is for, and, where a fresh proof is needed, how old it may be in seconds.
    """

    wanted: str | None
    level: str
    session: str | None = None
    fresh_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in under way must be completed with. `browser` digests the secret of the browser that began it."""

    nonce: str
    verifier: str
    browser: str
    aim: Aim

    def __repr__(self) -> str:
        return "Attempt(hidden)"


class Attempts:
    """The table of sign-ins under way."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self.clock = clock

    def begin(self, browser_secret: str, aim: Aim) -> tuple[str, Attempt]:
        """A new attempt and the `state` by which it is taken again. Those that took too long are forgotten."""
        state = secrets.token_urlsafe(_BYTES)
        attempt = Attempt(
            nonce=secrets.token_urlsafe(_BYTES),
            verifier=secrets.token_urlsafe(_BYTES),
            browser=_hex_digest(browser_secret),
            aim=aim,
        )
        now = self.clock()
        row = SignInAttempt(
            state_digest=_digest(state),
            sealed=self._sealer.seal(json.dumps(asdict(attempt)), _hex_digest(state)),
            ends_at=now + LIFETIME,
        )
        with self._sessions.begin() as session:
            session.execute(delete(SignInAttempt).where(SignInAttempt.ends_at <= now))
            session.add(row)
        return state, attempt

    def take(self, state: str, browser_secret: str | None) -> Attempt | None:
        """The attempt that `state` stands for, this once; None when there is none for this browser any more.

        Two requests with one state: the database deletes the row for one of them only.
        """
        if not 0 < len(state) <= _MAXIMUM_STATE:
            return None
        with self._sessions.begin() as session:
            row = session.get(SignInAttempt, _digest(state))
            if row is None:
                return None
            sealed, ends_at = row.sealed, row.ends_at
            session.expunge(row)
            gone = session.execute(delete(SignInAttempt).where(SignInAttempt.state_digest == _digest(state)))
            if int(getattr(gone, "rowcount", 0)) != 1:
                return None
        kept = json.loads(self._sealer.unseal(sealed, _hex_digest(state)))
        attempt = Attempt(kept["nonce"], kept["verifier"], kept["browser"], Aim(**kept["aim"]))
        is_same_browser = browser_secret is not None and secrets.compare_digest(
            attempt.browser, _hex_digest(browser_secret)
        )
        return attempt if is_same_browser and self.clock() < ends_at else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _hex_digest(text: str) -> str:
    return _digest(text).hex()
