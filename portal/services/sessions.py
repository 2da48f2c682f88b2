"""Sessions on the server: the browser holds a random token, the table holds its digest, and ending one ends it here."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actors import Actor
from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.models.sessions import SignedInSession
from portal.services.clock import Clock
from portal.services.sealing import Sealer

#: 256 random bits, too many to guess (ASVS 5.0, 7.2.3 asks for 128).
TOKEN_BYTES = 32
TOKEN_LENGTH = len(secrets.token_urlsafe(TOKEN_BYTES))
#: A session's last use is written down at most this often (or ten times in an idle limit), so that reading pages does
#: not mean writing. A session may therefore end this much early for idleness, and never late.
SEEN_EVERY = timedelta(minutes=1)


class Method(StrEnum):
    """How somebody signed in. The names stand in the log for ever."""

    DEMONSTRATION = "demonstration"
    OPENID = "openid"
    PASSKEY = "passkey"
    STAFF_OPENID = "staff-openid"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """After `idle` without a request, and after `absolute` in any case, a session is over."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind a sign-in. A provider's session id and ID token are kept to end both sessions together.

    `proved_at` is when the person proved who they are; None for just now. A provider that kept them signed in says an
    earlier time than that of the sign-in here.
    """

    method: Method
    assurance: Assurance
    provider_session: str | None = None
    id_token: str | None = None
    proved_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Proof({self.method}, {self.assurance})"  # an ID token names the person


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is not over. `session_id` is no secret: it opens nothing, and is what a form ends a session by."""

    session_id: str
    account_id: str
    role: str
    method: Method
    assurance: Assurance
    device: Device
    started_at: datetime
    proved_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    network: bytes | None = field(default=None, repr=False)


class Sessions:
    """The table of sessions. Whoever calls it decides who may, and writes the entries."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, limits: SessionLimits, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._limits = limits
        self._clock = clock
        self._seen_every = min(SEEN_EVERY, limits.idle / 10)

    def begin(self, session_id: str, actor: Actor, proof: Proof, device: Device, network: str = "") -> str:
        """Make the session `session_id` and give its token, which is shown this once. `network` is where the proof came
        from. Sessions that are over are forgotten on the way."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        row = SignedInSession(
            id=session_id,
            token_digest=_digest(token),
            account_id=actor.account_id,
            role=actor.role,
            method=proof.method,
            assurance=proof.assurance,
            browser=device.browser,
            system=device.system,
            started_at=now,
            proved_at=min(proof.proved_at or now, now),
            last_seen_at=now,
            ends_at=now + self._limits.absolute,
            provider_session=self._provider_session(proof.provider_session),
            network=self._network(network),
            sealed_id_token=None if proof.id_token is None else self._sealer.seal(proof.id_token, session_id),
        )
        with self._sessions.begin() as session:
            session.execute(delete(SignedInSession).where(self._is_over(now)))
            session.add(row)
        return token

    def resume(self, token: str) -> OpenSession | None:
        """The session that `token` opens, or None when there is none or it is over."""
        if len(token) != TOKEN_LENGTH:
            return None
        now = self._clock()
        with self._sessions.begin() as session:
            row = session.scalar(select(SignedInSession).where(SignedInSession.token_digest == _digest(token)))
            if row is None:
                return None
            found = _opened(row)
            if now >= found.ends_at or now - found.last_seen_at >= self._limits.idle:
                session.execute(delete(SignedInSession).where(SignedInSession.id == found.session_id))
                return None
            if now - found.last_seen_at >= self._seen_every:
                # A statement rather than the row: one that was ended meanwhile stays ended.
                seen = update(SignedInSession).where(SignedInSession.id == found.session_id).values(last_seen_at=now)
                session.execute(seen)
            return found

    def rotate(self, session_id: str, proof: Proof, network: str = "") -> str | None:
        """A new token for a session that stands on `proof` from now on; the old token opens nothing any more.

        The level is that of the new proof even where it is lower: a level and a time that were proved apart must not
        count as one. Its absolute end stays. None when the session is gone.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        values: dict[str, object] = {
            "token_digest": _digest(token),
            "method": proof.method,
            "assurance": proof.assurance,
            "proved_at": min(proof.proved_at or now, now),
            "network": self._network(network),
        }
        if proof.provider_session is not None:
            values["provider_session"] = self._provider_session(proof.provider_session)
        if proof.id_token is not None:
            values["sealed_id_token"] = self._sealer.seal(proof.id_token, session_id)
        with self._sessions.begin() as session:
            done = session.execute(update(SignedInSession).where(SignedInSession.id == session_id).values(values))
            return token if _rows(done) else None

    def of_account(self, account_id: str) -> list[OpenSession]:
        """The account's sessions that are not over, the one used last first."""
        wanted = select(SignedInSession).where(SignedInSession.account_id == account_id, ~self._is_over(self._clock()))
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(SignedInSession.last_seen_at.desc(), SignedInSession.id))
            return [_opened(row) for row in rows]

    def of_provider_session(self, sid: str) -> list[OpenSession]:
        """The sessions that stand on the provider's session `sid`."""
        wanted = select(SignedInSession).where(SignedInSession.provider_session == self._provider_session(sid))
        with self._sessions() as session:
            return [_opened(row) for row in session.scalars(wanted)]

    def id_token(self, session_id: str) -> str | None:
        """The ID token on which the session stands, to sign out at the provider as well."""
        with self._sessions() as session:
            row = session.get(SignedInSession, session_id)
            if row is None or row.sealed_id_token is None:
                return None
            return self._sealer.unseal(row.sealed_id_token, session_id)

    def is_from(self, session: OpenSession, network: str) -> bool:
        """Whether the session's last proof came from this network, as far as is known of both."""
        here = self._network(network)
        return here is None or session.network is None or hmac.compare_digest(here, session.network)

    def end(self, session_id: str) -> bool:
        """End the session. Says whether it was this call that ended it."""
        with self._sessions.begin() as session:
            done = session.execute(delete(SignedInSession).where(SignedInSession.id == session_id))
            return _rows(done) > 0

    def _is_over(self, now: datetime) -> ColumnElement[bool]:
        return or_(SignedInSession.ends_at <= now, SignedInSession.last_seen_at <= now - self._limits.idle)

    def _network(self, network: str) -> bytes | None:
        return self._sealer.blind_index(network, "session-network") if network else None

    def _provider_session(self, sid: str | None) -> bytes | None:
        return None if sid is None else self._sealer.blind_index(sid, "provider-session")


def _digest(token: str) -> bytes:
    # No salt and no slow hash: 256 random bits cannot be found by trying.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _rows(result: object) -> int:
    return int(getattr(result, "rowcount", 0))


def _opened(row: SignedInSession) -> OpenSession:
    return OpenSession(
        row.id,
        row.account_id,
        row.role,
        Method(row.method),
        Assurance(row.assurance),
        Device(row.browser, row.system),
        row.started_at,
        row.proved_at,
        row.last_seen_at,
        row.ends_at,
        row.network,
    )
