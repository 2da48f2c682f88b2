"""Staff through their employer's provider, which says who they are and what they are here.

Its claims decide at each sign-in: another role or organisation takes the place of the one before, and whoever has none
any more is closed. Nobody of the portal gives or keeps a role against the provider's word.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from config.staff import StaffOidcSettings
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.refusals import Refusal, SignInRefused
from portal.models.accounts import Account
from portal.services.attempts import Attempts
from portal.services.entrance import Entrance
from portal.services.id_tokens import Vouched
from portal.services.openid import OpenIdSignIn
from portal.services.outbound import limited_transport
from portal.services.provider import OpenIdProvider
from portal.services.rights import details_of
from portal.services.safeguards import Foundations
from portal.services.sealing import Sealer
from portal.services.sessions import Method
from portal.services.staff_ledger import Deed, StaffLedger

RETURN_PATH = "/staff/sign-in/return"
_NO_ACCOUNT = "none"


class StaffPeople:
    """Staff by the provider's `sub`, with the role and the organisation of its claims."""

    method = Method.STAFF_OPENID

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        entrance: Entrance,
        ledger: StaffLedger,
        settings: StaffOidcSettings,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._entrance = entrance
        self._ledger = ledger
        self._settings = settings

    def known(self, vouched: Vouched, request_id: str) -> Actor:
        """The account as the claims say it is. Raises SignInRefused (NO_ROLE, ACCOUNT_CLOSED)."""
        rights = self._rights(vouched.claims)
        if rights is None:
            self._close(vouched, request_id)
            raise SignInRefused(Refusal.NO_ROLE, "roles of the claims")
        account_id = self._account_id(vouched) or self._opened(vouched, *rights, request_id)
        before = self._actor(account_id)
        if before is None:
            self.refuse(vouched, Reason.ACCOUNT_CLOSED, request_id)
            raise SignInRefused(Refusal.ACCOUNT_CLOSED, "the account is closed")
        if (before.role, before.organisation) != rights:
            self._change(before, *rights, request_id)
        return Actor(account_id, rights[0], before.name, rights[1])

    def is_same(self, vouched: Vouched, actor: Actor) -> bool:
        return self._account_id(vouched) == actor.account_id and self._rights(vouched.claims) == (
            actor.role,
            actor.organisation,
        )

    def refuse(self, vouched: Vouched, reason: Reason, request_id: str) -> None:
        self._entrance.refuse_staff(self._account_id(vouched), reason, request_id)

    def _rights(self, claims: Mapping[str, object]) -> tuple[Role, str] | None:
        """The one role and the organisation that the claims give; None when they give none, or several."""
        settings = self._settings
        stated = claims.get(settings.roles_claim)
        words = stated if isinstance(stated, list) else [stated]
        roles = {settings.roles[word] for word in words if isinstance(word, str) and word in settings.roles}
        word = claims.get(settings.organisation_claim)
        if len(roles) != 1 or not isinstance(word, str):
            return None
        organisation = settings.organisations.get(word) if settings.organisations else word
        return None if not organisation else (Role(roles.pop()), organisation)

    def _opened(self, vouched: Vouched, role: Role, organisation: str, request_id: str) -> str:
        account_id = str(uuid.uuid4())
        person = Actor(account_id, role, vouched.name or vouched.subject[:200], organisation)
        try:
            with self._sessions.begin() as session:
                session.add(
                    Account(
                        id=account_id,
                        role=role,
                        name=person.name,
                        organisation=organisation,
                        staff_index=self._index(vouched),
                        is_active=True,
                        is_demonstration=False,
                        position=0,
                        created_at=self._ledger.now(),
                    )
                )
                session.flush()
                details = details_of(account_id, role, organisation, role_before=_NO_ACCOUNT)
                self._ledger.note(person, request_id, Deed(Action.RIGHTS_CHANGE, details))
        except IntegrityError:  # another sign-in of the same person opened it in between; the index is unique
            known = self._account_id(vouched)
            if known is None:
                raise
            return known
        return account_id

    def _change(self, before: Actor, role: Role, organisation: str, request_id: str) -> None:
        """What they were is over at once, in every session; what they are now begins with this sign-in."""
        with self._sessions.begin() as session:
            row = session.get_one(Account, before.account_id)
            row.role, row.organisation = role, organisation
            session.flush()
            earlier = {"role_before": str(before.role), "organisation_before": before.organisation or _NO_ACCOUNT}
            details = details_of(before.account_id, role, organisation, **earlier)
            self._ledger.note(before, request_id, Deed(Action.RIGHTS_CHANGE, details))
        self._entrance.end_all(before, Reason.RIGHTS_CHANGED, request_id)

    def _close(self, vouched: Vouched, request_id: str) -> None:
        """Whoever had a role and has none any more is out, and an administrator decides whether they come back."""
        account_id = self._account_id(vouched)
        before = None if account_id is None else self._actor(account_id)
        self._entrance.refuse_staff(account_id, Reason.NO_ROLE, request_id)
        if before is None:
            return
        with self._sessions.begin() as session:
            session.get_one(Account, before.account_id).is_active = False
            session.flush()
            details = details_of(before.account_id, before.role, before.organisation)
            self._ledger.note(before, request_id, Deed(Action.ACCOUNT_CLOSURE, details, Outcome.DONE, Reason.NO_ROLE))
        self._entrance.end_all(before, Reason.ACCOUNT_CLOSED, request_id)

    def _account_id(self, vouched: Vouched) -> str | None:
        with self._sessions() as session:
            return session.scalar(select(Account.id).where(Account.staff_index == self._index(vouched)))

    def _actor(self, account_id: str) -> Actor | None:
        with self._sessions() as session:
            row = session.get_one(Account, account_id)
            return Actor(row.id, Role(row.role), row.name, row.organisation) if row.is_active else None

    def _index(self, vouched: Vouched) -> bytes:
        """A `sub` is unique within its issuer only (OpenID Connect Core 1.0, section 8)."""
        return self._sealer.blind_index(f"{self._settings.issuer}\n{vouched.subject}", "staff")


def staff_sign_in(
    settings: StaffOidcSettings | None,
    base_url: str,
    attempts: Attempts,
    foundations: Foundations,
    entrance: Entrance,
) -> OpenIdSignIn | None:
    """Signing in of staff at their employer's provider; None when there is none."""
    if settings is None:
        return None
    transport = limited_transport(settings.timeout_seconds, settings.ca_file)
    provider = OpenIdProvider(settings, base_url, transport, attempts.clock, return_path=RETURN_PATH)
    ledger = StaffLedger(foundations.log, foundations.clock)
    people = StaffPeople(foundations.sessions, foundations.sealer, entrance, ledger, settings)
    return OpenIdSignIn(provider, attempts, people, entrance)


def unfit_roles(settings: StaffOidcSettings | None, organisations: Mapping[str, object]) -> list[str]:
    """What the settings translate into that is not there, one sentence each."""
    if settings is None:
        return []
    staff = {str(role) for role in Role if role is not Role.CITIZEN}
    mistakes = [
        f"staff_oidc.roles: {role} is no role of staff; known are {', '.join(sorted(staff))}"
        for role in settings.roles.values()
        if role not in staff
    ]
    return mistakes + [
        f"staff_oidc.organisations: {code} is not in the catalogue"
        for code in settings.organisations.values()
        if code not in organisations
    ]
