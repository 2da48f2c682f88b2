"""What a provider signs: ID tokens and logout tokens, checked to the last claim before anything is believed.

Sources: OpenID Connect Core 1.0, section 3.1.3.7; OpenID Connect Back-Channel Logout 1.0, section 2.6; RFC 8725.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from joserfc.jws import JWSRegistry

from portal.domain.assurance import Assurance
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode

#: Signatures that only the provider can make. `none` and the HS* family, which anybody who knows the public key or the
#: client's secret could forge, are not among them (RFC 8725, sections 2.1 and 3.1).
ALGORITHMS = ("RS256", "ES256")
LEAST_RSA_BITS = 2048
MAXIMUM_KEYS = 50
MAXIMUM_NAME = 200
#: A logout token is sent at once; GovSSO's carry no `exp`.
LOGOUT_TOKEN_AGE = timedelta(minutes=5)
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

VerifyingKey = RSAKey | ECKey
#: Not strict about parameters of the header that nobody knows (RFC 7515, section 4 has them ignored); `crit` is obeyed.
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
#: Gives the provider's key for a token's header.
KeyFinder = Callable[[Mapping[str, Any]], VerifyingKey]


class TokenRefused(ValueError):
    """The token does not hold. The message names the check that failed, never a value of the token."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose tokens they must be, for whom, and how far the clocks may differ."""

    issuer: str
    client_id: str
    skew: timedelta


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a good ID token says of a person. `code` is None when `sub` is no Estonian personal code.

    `authenticated_at` is when they proved who they are, if the provider says it.
    """

    code: PersonalCode | None
    name: str = field(repr=False)
    assurance: Assurance | None
    issued_at: datetime
    authenticated_at: datetime | None
    provider_session: str | None = field(repr=False)
    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """Whose sessions a provider asks to end: those on its session `sid`, or else all of the person's."""

    sid: str | None = field(repr=False)
    code: PersonalCode | None
    issued_at: datetime


def usable_keys(document: Mapping[str, Any]) -> list[VerifyingKey]:
    """The keys of a JWK Set (RFC 7517) that can check a signature we accept; others are passed over."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        return []
    keys = (_key(entry) for entry in entries[:MAXIMUM_KEYS] if isinstance(entry, dict))
    return [key for key in keys if key is not None]


def is_for(key: VerifyingKey, algorithm: object) -> bool:
    """Whether `key` is of the kind that `algorithm` takes, so that no key is used for what it was not made."""
    stated = key.get("alg")
    if stated is not None and stated != algorithm:
        return False
    return isinstance(key, RSAKey if algorithm == "RS256" else ECKey) if algorithm in ALGORITHMS else False


def checked_id_token(
    token: str, find_key: KeyFinder, audience: Audience, *, nonce: str, access_token: str | None, now: datetime
) -> Vouched:
    """What the ID token says, once everything in it holds. Raises TokenRefused."""
    header, claims = _opened(token, find_key)
    if header.get("typ", "JWT") not in {"JWT", "jwt"} or "events" in claims:
        raise TokenRefused("typ")  # a logout token is signed by the same key and must not sign anybody in
    params = {"nonce": nonce, "client_id": audience.client_id, "access_token": access_token}
    _check(claims, header, audience, now, params)
    if not isinstance(claims.get("nonce"), str):
        raise TokenRefused("nonce")
    sid = claims.get("sid")
    return Vouched(
        code=_code(claims["sub"]),
        name=_name(claims),
        assurance=Assurance.of_acr(claims.get("acr")),
        issued_at=_moment(claims["iat"]),
        authenticated_at=_moment(claims["auth_time"]) if "auth_time" in claims else None,
        provider_session=sid if isinstance(sid, str) and sid else None,
        subject=str(claims["sub"]),
        claims=claims,
    )


def checked_logout_token(token: str, find_key: KeyFinder, audience: Audience, now: datetime) -> LogoutNotice:
    """Whose sessions are to end. Raises TokenRefused."""
    header, claims = _opened(token, find_key)
    if header.get("typ", "JWT") not in {"JWT", "jwt", "logout+jwt"}:
        raise TokenRefused("typ")
    sid, sub = claims.get("sid"), claims.get("sub")
    # The shared checks want `sub` and `exp`, which a logout token may leave out: its age is bounded below instead.
    _check({"exp": _far(now), "sub": "", **claims}, header, audience, now, {"client_id": audience.client_id})
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenRefused("events")
    if "nonce" in claims:
        raise TokenRefused("nonce")  # so that no ID token passes for a logout token
    if not isinstance(claims.get("jti"), str):
        raise TokenRefused("jti")
    issued_at = _moment(claims["iat"])
    if now - issued_at > LOGOUT_TOKEN_AGE + audience.skew:
        raise TokenRefused("iat: too old")
    has_sid, has_sub = isinstance(sid, str) and bool(sid), isinstance(sub, str) and bool(sub)
    if not has_sid and not has_sub:
        raise TokenRefused("neither sid nor sub")
    code = _code(sub) if has_sub else None
    if has_sub and code is None and not has_sid:
        raise TokenRefused("sub")
    return LogoutNotice(sid if has_sid else None, code, issued_at)


def _opened(token: str, find_key: KeyFinder) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Header and claims of a token whose signature holds."""
    try:
        opened = jwt.decode(token, lambda unverified: find_key(unverified.headers()), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, TokenRefused):
            raise
        raise TokenRefused(f"signature: {type(error).__name__}") from None
    return opened.header, opened.claims


def _check(
    claims: Mapping[str, Any], header: Mapping[str, Any], audience: Audience, now: datetime, params: dict[str, Any]
) -> None:
    """Issuer, audience, authorised party, times, nonce and access token hash, by Authlib; and what it leaves open."""
    options = {"iss": {"essential": True, "value": audience.issuer}, "aud": {"essential": True}}
    try:
        CodeIDToken(claims, header, options, params).validate(int(now.timestamp()), int(audience.skew.total_seconds()))
    except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
        # Its text may repeat a value; the name of the claim is enough.
        raise TokenRefused(getattr(error, "claim", None) or type(error).__name__) from None
    # Core, 3.1.3.7, step 3: an audience besides us is one that we would have to trust, and we trust none.
    if claims["aud"] not in (audience.client_id, [audience.client_id]):
        raise TokenRefused("aud")
    for claim in ("iat", "exp", "nbf", "auth_time"):
        if claim in claims and not _is_time(claims[claim]):
            raise TokenRefused(claim)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 40


def _moment(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC)


def _far(now: datetime) -> int:
    return int(now.timestamp()) + 3600


def _key(entry: Mapping[str, Any]) -> VerifyingKey | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in {"RSA", "EC"}:
        return None
    try:
        key = JWKRegistry.import_key(dict(entry))
        if isinstance(key, RSAKey) and key.public_key.key_size >= LEAST_RSA_BITS:
            return key
        if isinstance(key, ECKey) and key.curve_name == "P-256":
            return key
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # a key that cannot be read is one that no token can be checked with
    return None


def _code(sub: object) -> PersonalCode | None:
    """The personal code in a `sub` such as EE38001085718; only in exactly that form."""
    try:
        code = PersonalCode.of_subject(sub) if isinstance(sub, str) else None
    except InvalidPersonalCode:
        return None
    return code if code is not None and code.subject == sub else None


def _name(claims: Mapping[str, Any]) -> str:
    """The name to greet somebody by. GovSSO writes it beside `sub`, TARA within `profile_attributes`."""
    inner = claims.get("profile_attributes")
    sources = [claims, inner] if isinstance(inner, dict) else [claims]
    for source in sources:
        parts = [source.get("given_name"), source.get("family_name")]
        name = " ".join(_plain(part) for part in parts if isinstance(part, str) and _plain(part))
        if name:
            return name[:MAXIMUM_NAME]
    whole = claims.get("name")
    return _plain(whole)[:MAXIMUM_NAME] if isinstance(whole, str) else ""


def _plain(text: str) -> str:
    """One line without control and direction marks, which could make a name read as something else."""
    kept = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", text[: 4 * MAXIMUM_NAME]))
    return " ".join("".join(char for char in kept if unicodedata.category(char)[0] != "C").split())
