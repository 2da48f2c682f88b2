"""Signing in through an OpenID provider: the authorization code flow from the first redirect to the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from config.identity import OidcSettings
from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.assurance import Assurance
from portal.domain.errors import AccountClosed, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.refusals import Refusal, SignInRefused
from portal.services.accounts import Accounts
from portal.services.attempts import Aim, Attempt, Attempts
from portal.services.entrance import Entrance, Present, Visit
from portal.services.id_tokens import Audience, TokenRefused, Vouched, checked_id_token, checked_logout_token
from portal.services.outbound import limited_transport
from portal.services.provider import OpenIdProvider, ProviderSignOut
from portal.services.sessions import Method, Proof

#: What providers say when the person turned back (RFC 6749, section 4.1.2.1; GovSSO and TARA have a word of their own).
CANCELLED = frozenset({"access_denied", "user_cancel"})
MAXIMUM_CODE = 2048
#: When a provider does not say when the person proved who they are, the proof counts as fresh for nothing.
UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who was let in, or proved again who they are: the token of their session, and the page they wanted."""

    actor: Actor
    token: str
    wanted: str | None
    is_step_up: bool

    def __repr__(self) -> str:
        return "Arrival(hidden)"


class People(Protocol):
    """Whom a provider vouches for, as the portal knows them."""

    method: Method

    def known(self, vouched: Vouched, request_id: str) -> Actor:
        """The account of whom the provider vouched for. Raises SignInRefused, with an entry if there is a person."""

    def is_same(self, vouched: Vouched, actor: Actor) -> bool:
        """Whether the provider vouched for the person who is signed in."""

    def refuse(self, vouched: Vouched, reason: Reason, request_id: str) -> None:
        """Record that somebody the provider vouched for was not let in."""


class Citizens:
    """People by their Estonian personal code; the first time, an account is opened."""

    method = Method.OPENID

    def __init__(self, accounts: Accounts, entrance: Entrance) -> None:
        self._accounts = accounts
        self._entrance = entrance

    def known(self, vouched: Vouched, request_id: str) -> Actor:
        code = _code_of(vouched)
        try:
            return self._accounts.citizen(code, vouched.name)
        except AccountClosed:
            self._entrance.refuse(code, Reason.ACCOUNT_CLOSED, request_id)
            raise SignInRefused(Refusal.ACCOUNT_CLOSED, "the account is closed") from None

    def is_same(self, vouched: Vouched, actor: Actor) -> bool:
        return _code_of(vouched) == actor.personal_code

    def refuse(self, vouched: Vouched, reason: Reason, request_id: str) -> None:
        self._entrance.refuse(_code_of(vouched), reason, request_id)


def open_id_sign_in(
    settings: OidcSettings | None, base_url: str, attempts: Attempts, accounts: Accounts, entrance: Entrance
) -> OpenIdSignIn | None:
    """Signing in of citizens at the provider of the settings; None when there is none."""
    if settings is None:
        return None
    transport = limited_transport(settings.timeout_seconds, settings.ca_file)
    provider = OpenIdProvider(settings, base_url, transport, attempts.clock)
    return OpenIdSignIn(provider, attempts, Citizens(accounts, entrance), entrance)


class OpenIdSignIn:
    """Begins sign-ins at one provider, completes them, and ends sessions when the provider says so."""

    def __init__(self, provider: OpenIdProvider, attempts: Attempts, people: People, entrance: Entrance) -> None:
        self._provider = provider
        self._attempts = attempts
        self._people = people
        self._entrance = entrance
        settings = provider.settings
        self._minimum = Assurance(settings.minimum_acr)
        self._skew = timedelta(seconds=settings.clock_skew_seconds)
        self._audience = Audience(settings.issuer, settings.client_id, self._skew)

    def begin(self, browser_secret: str, aim: Aim | None, *, wanted: str | None = None, language: str) -> str:
        """The provider's address to send the browser to, for the page `wanted` or for the `aim` of a step-up.

        Raises SignInRefused when the provider gives no usable answer.
        """
        self._provider.metadata()  # before anything is kept for an attempt that cannot be made
        settled = self._settled(aim or Aim(wanted, self._minimum))
        state, attempt = self._attempts.begin(self._bound(browser_secret), settled)
        usual = " ".join(self._provider.settings.acr_values)
        return self._provider.authorization_url(
            state=state,
            nonce=attempt.nonce,
            verifier=attempt.verifier,
            acr_values=settled.level if aim is not None or not usual else usual,
            language=language,
            max_age=settled.fresh_seconds,
        )

    def complete(
        self, answer: Mapping[str, str], browser_secret: str | None, visit: Visit, present: Present | None
    ) -> Arrival:
        """Check the provider's `answer` (the parameters it sent with the browser) and let the person in.

        For a step-up `present` is who is signed in, and their session is put on the new proof.

        Raises:
            SignInRefused: nobody was let in; for a person whom the provider vouched for it is in their history.
            DisclosureUnavailable: the log cannot be written, so nobody was let in.
        """
        attempt = self._attempts.take(answer.get("state", ""), browser_secret and self._bound(browser_secret))
        if attempt is None:
            raise SignInRefused(Refusal.UNKNOWN_ATTEMPT, "state")
        self._check_sender(answer)
        code = self._code_of(answer)
        vouched, id_token = self._vouched(code, attempt)
        if attempt.aim.session is not None:
            return self._stepped_up(vouched, id_token, attempt.aim, visit.request_id, present)
        level = self._level(vouched, Assurance(attempt.aim.level), visit.request_id)
        actor = self._people.known(vouched, visit.request_id)
        token = self._entrance.let_in(actor, self._proof(vouched, level, id_token), visit)
        return Arrival(actor, token, attempt.aim.wanted, is_step_up=False)

    def name_in(self, language: str) -> str:
        """What the provider is called on a page in this language."""
        settings = self._provider.settings
        names = {"et": settings.display_name_et, "ru": settings.display_name_ru}
        return names.get(language, settings.display_name_en)

    def sign_out(self, id_token: str, language: str) -> ProviderSignOut | None:
        """How the browser signs out at the provider as well; None when the provider offers no way."""
        return self._provider.sign_out(id_token, language)

    def end_by_provider(self, logout_token: str, request_id: str) -> int:
        """End the sessions that a logout token names, and say how many those were.

        A token ends only what began before it was issued, so that playing it again does nothing.

        Raises:
            TokenRefused: the token does not hold; nothing was ended.
            SignInRefused: the provider's keys cannot be fetched; nothing was ended.
        """
        notice = checked_logout_token(logout_token, self._provider.key_for, self._audience, self._provider.now())
        latest = notice.issued_at + self._skew + timedelta(seconds=1)
        code = notice.code
        if self._people.method is Method.STAFF_OPENID:
            # By `sub` alone no account of staff is found, and a personal code in it is a citizen's as well.
            if notice.sid is None:
                raise TokenRefused("sid")
            code = None
        return self._entrance.end_by_provider(
            self._scoped(notice.sid), code, began_before=latest, request_id=request_id
        )

    def _settled(self, aim: Aim) -> Aim:
        """No aim falls below what the settings ask of everybody."""
        return aim if Assurance(aim.level).reaches(self._minimum) else replace(aim, level=self._minimum)

    def _check_sender(self, answer: Mapping[str, str]) -> None:
        """RFC 9207: whoever sends the browser back with `iss` must be the provider that was asked (mix-up attack)."""
        issuer = answer.get("iss")
        if issuer is None and self._provider.metadata().names_itself:
            raise SignInRefused(Refusal.NOT_TRUSTED, "iss is missing from the answer")
        if issuer is not None and issuer != self._audience.issuer:
            raise SignInRefused(Refusal.NOT_TRUSTED, "iss of the answer")

    def _code_of(self, answer: Mapping[str, str]) -> str:
        if "error" in answer:
            refusal = Refusal.CANCELLED if answer["error"] in CANCELLED else Refusal.PROVIDER_REFUSED
            raise SignInRefused(refusal, "the provider answered with an error")
        code = answer.get("code", "")
        if not 0 < len(code) <= MAXIMUM_CODE:
            raise SignInRefused(Refusal.NOT_TRUSTED, "no code")
        return code

    def _vouched(self, code: str, attempt: Attempt) -> tuple[Vouched, str]:
        id_token, access_token = self._provider.redeem(code, attempt.verifier)
        try:
            vouched = checked_id_token(
                id_token,
                self._provider.key_for,
                self._audience,
                nonce=attempt.nonce,
                access_token=access_token,
                now=self._provider.now(),
            )
        except TokenRefused as refused:
            raise SignInRefused(Refusal.NOT_TRUSTED, f"ID token: {refused}") from None
        return vouched, id_token

    def _proof(self, vouched: Vouched, level: Assurance, id_token: str) -> Proof:
        proved_at = self._proved_at(vouched) or UNKNOWN_MOMENT
        return Proof(self._people.method, level, self._scoped(vouched.provider_session), id_token, proved_at)

    def _proved_at(self, vouched: Vouched) -> datetime | None:
        if vouched.authenticated_at is None and self._provider.settings.proves_each_time:
            return vouched.issued_at
        return vouched.authenticated_at

    def _stepped_up(
        self, vouched: Vouched, id_token: str, aim: Aim, request_id: str, present: Present | None
    ) -> Arrival:
        """The session that the step-up was begun for, on its new proof: of the same person, sure and fresh enough."""
        if present is None or present.session.session_id != aim.session:
            raise SignInRefused(Refusal.UNKNOWN_ATTEMPT, "the session is another one")
        if not self._people.is_same(vouched, present.actor):
            self._entrance.refuse_step_up(present, Reason.ANOTHER_PERSON, request_id)
            raise SignInRefused(Refusal.ANOTHER_PERSON, "sub is another person's")
        if vouched.assurance is None or not vouched.assurance.reaches(Assurance(aim.level)):
            is_missing = vouched.assurance is None
            reason = Reason.ASSURANCE_MISSING if is_missing else Reason.ASSURANCE_TOO_LOW
            self._entrance.refuse_step_up(present, reason, request_id)
            raise SignInRefused(Refusal.ASSURANCE_MISSING if is_missing else Refusal.ASSURANCE_TOO_LOW, "acr")
        if not self._is_fresh(vouched, aim):
            self._entrance.refuse_step_up(present, Reason.PROOF_TOO_OLD, request_id)
            raise SignInRefused(Refusal.PROOF_TOO_OLD, "auth_time")
        try:
            token = self._entrance.step_up(present, self._proof(vouched, vouched.assurance, id_token), request_id)
        except NothingHere:
            raise SignInRefused(Refusal.UNKNOWN_ATTEMPT, "the session ended meanwhile") from None
        return Arrival(present.actor, token, aim.wanted, is_step_up=True)

    def _is_fresh(self, vouched: Vouched, aim: Aim) -> bool:
        """To have asked for a fresh proof is not to have got one (Core, 3.1.3.7, step 13)."""
        if aim.fresh_seconds is None:
            return True
        proved_at = self._proved_at(vouched)
        age = timedelta(seconds=aim.fresh_seconds)
        return proved_at is not None and self._provider.now() - proved_at <= age + self._skew

    def _level(self, vouched: Vouched, needed: Assurance, request_id: str) -> Assurance:
        """The level the provider states. To have asked for one is not to have got it: `acr` may be missing or lower."""
        if vouched.assurance is None:
            self._people.refuse(vouched, Reason.ASSURANCE_MISSING, request_id)
            raise SignInRefused(Refusal.ASSURANCE_MISSING, "acr is missing")
        if not vouched.assurance.reaches(needed):
            self._people.refuse(vouched, Reason.ASSURANCE_TOO_LOW, request_id)
            raise SignInRefused(Refusal.ASSURANCE_TOO_LOW, "acr is too low")
        return vouched.assurance

    def _scoped(self, sid: str | None) -> str | None:
        """A `sid` is unique within its issuer only (Back-Channel Logout 1.0, section 2.1)."""
        return None if sid is None else f"{self._audience.issuer} {sid}"

    def _bound(self, browser_secret: str) -> str:
        """An attempt at one provider is no attempt at another."""
        return f"{self._audience.issuer} {browser_secret}"


def _code_of(vouched: Vouched) -> PersonalCode:
    if vouched.code is None:
        raise SignInRefused(Refusal.NOT_A_PERSON_WE_KNOW, "sub")
    return vouched.code
