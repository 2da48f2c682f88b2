"""Access tokens for client systems: OAuth 2.0 client credentials by private_key_jwt, bound to a certificate.

Sources: RFC 6749, section 4.4; RFC 7523, sections 2.2 and 3; RFC 8705, section 3; RFC 8725.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from config.identity import MachineSettings
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.machines import ClientRefused, ClientSystem, OAuthError, Operation
from portal.domain.security_events import SecurityEvent
from portal.models.client_systems import AccessToken, UsedAssertion
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.id_tokens import ALGORITHMS, TokenRefused
from portal.services.key_sets import KeySet
from portal.services.outbound import limited_transport
from portal.services.security_log import announce

#: Where tokens are issued, below the portal's address. An assertion's `aud` is this, or the portal's address.
TOKEN_PATH = "/api/oauth/token"  # noqa: S105 - a path
#: An assertion is made for one request: one that is good for longer is refused.
ASSERTION_AGE = timedelta(minutes=5)
SKEW = timedelta(seconds=30)
TOKEN_BYTES = 32
TOKEN_LENGTH = len(secrets.token_urlsafe(TOKEN_BYTES))
MAXIMUM_ASSERTION = 8 * 1024
MAXIMUM_JTI = 256
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms tokens are issued: what `aud` may be, how long a token serves, and how keys are fetched."""

    audiences: frozenset[str]
    lifetime: timedelta
    transport: httpx2.BaseTransport

    @classmethod
    def of(cls, base_url: str, settings: MachineSettings) -> Terms:
        return cls(
            frozenset({base_url, base_url + TOKEN_PATH}),
            timedelta(minutes=settings.access_token_minutes),
            limited_transport(settings.timeout_seconds, settings.ca_file),
        )

    def key_set(self, client: ClientSystem, clock: Clock) -> KeySet:
        return KeySet(partial(_keys_of, client, self.transport), clock)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What the client gets (RFC 6749, section 5.1). `seconds` is how long it serves."""

    token: str
    seconds: int
    scope: str

    def __repr__(self) -> str:
        return f"IssuedToken({self.scope})"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client system with a token in force: who it is, and for what this token is."""

    client: ClientSystem
    scopes: frozenset[str]

    def require(self, operation: Operation, registry: str) -> None:
        """Raises ClientRefused when the token is not for this."""
        if operation.scope(registry) not in self.scopes:
            raise ClientRefused(OAuthError.INSUFFICIENT_SCOPE, "registry", self.client.code)


class Machines:
    """Issues tokens to the registered client systems and knows them again."""

    def __init__(
        self,
        clients: Mapping[str, ClientSystem],
        sessions: sessionmaker[Session],
        log: AuditLog,
        clock: Clock,
        terms: Terms,
    ) -> None:
        self._clients = clients
        self._sessions = sessions
        self._log = log
        self._clock = clock
        self._terms = terms
        self._keys = {code: terms.key_set(client, clock) for code, client in clients.items()}

    def issue(self, assertion: str, scope: str | None, thumbprint: str | None, request_id: str) -> IssuedToken:
        """A token for the client that `assertion` proves, bound to the certificate with `thumbprint`.

        Raises:
            ClientRefused: there is none; for a client that proved who it is the refusal is in the log.
            DisclosureUnavailable: the entry could not be made, so there is no token.
        """
        client = self._authenticated(assertion)
        if thumbprint is None or thumbprint not in client.certificates:
            self._deny(client, Reason.CERTIFICATE_UNKNOWN, request_id)
            raise ClientRefused(OAuthError.INVALID_CLIENT, "certificate", client.code)
        wanted = frozenset(scope.split()) if scope else client.scopes
        if not wanted or not wanted <= client.scopes:
            self._deny(client, Reason.SCOPE_NOT_GRANTED, request_id)
            raise ClientRefused(OAuthError.INVALID_SCOPE, "scope", client.code)
        record(self._log, [self._entry(client, Outcome.DONE, request_id, {"scope": " ".join(sorted(wanted))})])
        announce(SecurityEvent.CLIENT_ADMITTED, client=client.code)
        return self._token(client, wanted, thumbprint)

    def admit(self, token: str | None, thumbprint: str | None, operation: Operation) -> Admitted:
        """The client that comes with `token` over a connection with the certificate `thumbprint`.

        Raises ClientRefused: no such token in force, another certificate, or not for this operation in any registry.
        """
        row = self._in_force(token) if token is not None and len(token) == TOKEN_LENGTH else None
        client = None if row is None else self._clients.get(row.client)
        if row is None or client is None:
            raise ClientRefused(OAuthError.INVALID_TOKEN, "token")
        is_bound = thumbprint is not None and secrets.compare_digest(thumbprint, row.thumbprint)
        if not is_bound or thumbprint not in client.certificates:
            raise ClientRefused(OAuthError.INVALID_TOKEN, "certificate", client.code)
        scopes = frozenset(row.scopes.split()) & client.scopes  # a scope that was withdrawn since is gone at once
        if not any(scope.startswith(f"{operation}:") for scope in scopes):
            raise ClientRefused(OAuthError.INSUFFICIENT_SCOPE, "operation", client.code)
        return Admitted(client, scopes)

    def _authenticated(self, assertion: str) -> ClientSystem:
        code = _stated_issuer(assertion)
        client = self._clients.get(code)
        if client is None:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "unknown client")
        claims = self._opened(assertion, client)
        now = self._clock()
        if claims.get("iss") != code or claims.get("sub") != code:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "iss and sub", code)
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self._terms.audiences:  # a list could name others besides
            raise ClientRefused(OAuthError.INVALID_CLIENT, "aud", code)
        ends_at = self._end(claims, now, code)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAXIMUM_JTI:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "jti", code)
        self._use_up(code, jti, ends_at + SKEW, now)
        return client

    def _opened(self, assertion: str, client: ClientSystem) -> Mapping[str, Any]:
        keys = self._keys[client.code]
        try:
            opened = jwt.decode(assertion, lambda token: keys.key_for(token.headers()), registry=_REGISTRY)
        except TokenRefused:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "key", client.code) from None
        except (httpx2.HTTPError, OSError):
            raise ClientRefused(OAuthError.INVALID_CLIENT, "its keys cannot be fetched", client.code) from None
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise ClientRefused(OAuthError.INVALID_CLIENT, "signature", client.code) from None
        return opened.claims

    def _end(self, claims: Mapping[str, Any], now: datetime, code: str) -> datetime:
        times = {name: _moment(claims[name]) for name in ("exp", "iat", "nbf") if name in claims}
        ends_at = times.get("exp")
        if None in times.values() or ends_at is None:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "times", code)
        if ends_at <= now - SKEW or ends_at > now + ASSERTION_AGE + SKEW:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "exp", code)
        for name in ("iat", "nbf"):
            if (moment := times.get(name)) is not None and moment > now + SKEW:
                raise ClientRefused(OAuthError.INVALID_CLIENT, name, code)
        return ends_at

    def _use_up(self, code: str, jti: str, ends_at: datetime, now: datetime) -> None:
        """Two requests with one assertion: the primary key lets one of them in."""
        row = UsedAssertion(digest=_digest(f"{code}\n{jti}"), ends_at=ends_at)
        try:
            with self._sessions.begin() as session:
                session.execute(delete(UsedAssertion).where(UsedAssertion.ends_at <= now))
                session.add(row)
        except IntegrityError:
            raise ClientRefused(OAuthError.INVALID_CLIENT, "jti was used before", code) from None

    def _token(self, client: ClientSystem, scopes: frozenset[str], thumbprint: str) -> IssuedToken:
        token, now, scope = secrets.token_urlsafe(TOKEN_BYTES), self._clock(), " ".join(sorted(scopes))
        row = AccessToken(
            token_digest=_digest(token),
            client=client.code,
            scopes=scope,
            thumbprint=thumbprint,
            ends_at=now + self._terms.lifetime,
        )
        with self._sessions.begin() as session:
            session.execute(delete(AccessToken).where(AccessToken.ends_at <= now))
            session.add(row)
        return IssuedToken(token, int(self._terms.lifetime.total_seconds()), scope)

    def _in_force(self, token: str) -> AccessToken | None:
        wanted = select(AccessToken).where(AccessToken.token_digest == _digest(token))
        with self._sessions() as session:
            row = session.scalar(wanted)
            return row if row is not None and row.ends_at > self._clock() else None

    def _deny(self, client: ClientSystem, reason: Reason, request_id: str) -> None:
        record(self._log, [self._entry(client, Outcome.DENIED, request_id, {}, reason)])

    def _entry(
        self,
        client: ClientSystem,
        outcome: Outcome,
        request_id: str,
        details: dict[str, str],
        reason: Reason | None = None,
    ) -> Access:
        return Access(
            action=Action.CLIENT_SIGN_IN,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            organisation=client.organisation,
            official=client.code,
            request_id=request_id,
            reason=reason,
            automatic=True,
            details=details,
        )


def _keys_of(client: ClientSystem, transport: httpx2.BaseTransport) -> dict[str, Any]:
    """The client's JWK Set as it stands now. Raises OSError, ValueError or httpx2.HTTPError when it cannot be read."""
    if client.jwks_uri is None:
        text = b"{}" if client.jwks_file is None else client.jwks_file.read_bytes()
    else:
        with httpx2.Client(transport=transport, trust_env=False) as agent:
            text = agent.get(client.jwks_uri, headers={"Accept": "application/json"}).raise_for_status().content
    document = json.loads(text)
    return document if isinstance(document, dict) else {}


def _stated_issuer(assertion: str) -> str:
    """Who the assertion says it is from, so that their keys can be looked for. Nothing is believed yet."""
    claims: object = None
    payload = assertion.split(".")[1:2] if len(assertion) <= MAXIMUM_ASSERTION else []
    try:
        for part in payload:
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        claims = None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        return None
    return datetime.fromtimestamp(value, UTC)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
