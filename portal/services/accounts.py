"""Accounts: who may sign in, and as what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actors import Actor, Duty, Role
from portal.domain.errors import AccountClosed, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.accounts import Account
from portal.services.clock import Clock
from portal.services.sealing import Sealer


@dataclass(frozen=True)
class NewAccount:
    """What is needed to open an account. `persona` names the demonstration person it stands for, if any."""

    role: Role
    name: str
    organisation: str | None = None
    personal_code: PersonalCode | None = None
    persona: str | None = None
    account_id: str | None = None
    team: str | None = None
    duties: frozenset[Duty] = frozenset()


@dataclass(frozen=True)
class DemonstrationAccount:
    """A line of the page that lists demonstration people."""

    account_id: str
    role: Role
    name: str
    organisation: str | None
    persona: str | None


@dataclass(frozen=True)
class TeamMember:
    """An official of a supervisor's team."""

    account_id: str
    name: str = field(repr=False)
    personal_code: PersonalCode | None


class Accounts:
    """Opens accounts and answers who an account id is."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._clock = clock

    def open(self, accounts: Sequence[NewAccount], *, demonstration: bool = False) -> list[str]:
        """Create the accounts in one transaction and give their ids."""
        ids = [account.account_id or str(uuid.uuid4()) for account in accounts]
        now = self._clock()
        with self._sessions.begin() as session:
            session.add_all(
                self._row(account, account_id, position, now, demonstration)
                for position, (account, account_id) in enumerate(zip(accounts, ids, strict=True))
            )
        return ids

    def citizen(self, code: PersonalCode, name: str) -> Actor:
        """The account of the citizen with this personal code; the first time it is opened. The name is kept up to date.

        Raises AccountClosed.
        """
        known = self._citizen(code, name)
        if known is not None:
            return known
        try:
            [account_id] = self.open([NewAccount(Role.CITIZEN, name, personal_code=code)])
        except IntegrityError:  # another request of the same person opened it in between; the index is unique
            known = self._citizen(code, name)
            if known is None:
                raise
            return known
        return self.actor(account_id)

    def citizen_id(self, code: PersonalCode) -> str | None:
        """The id of the citizen's account, or None when there is none."""
        with self._sessions() as session:
            return session.scalar(select(Account.id).where(Account.citizen_index == self._index(code)))

    def index_citizens(self) -> None:
        """Give the index to accounts that were opened before there was one. Safe to repeat."""
        unindexed = select(Account).where(
            Account.role == Role.CITIZEN, Account.citizen_index.is_(None), Account.sealed_personal_code.is_not(None)
        )
        with self._sessions.begin() as session:
            for row in session.scalars(unindexed.order_by(Account.created_at, Account.position)).all():
                code = self._actor(row).personal_code
                if code is not None and self._holder(session, code) is None:
                    row.citizen_index = self._index(code)
                    session.flush()

    def actor(self, account_id: str) -> Actor:
        """Raises NothingHere when the account does not exist or was closed."""
        with self._sessions() as session:
            row = session.get(Account, account_id)
            if row is None or not row.is_active:
                raise NothingHere
            return self._actor(row)

    def of_role(self, role: Role, organisation: str | None) -> list[str]:
        """The ids of all open accounts of this role in this organisation."""
        with self._sessions() as session:
            return list(
                session.scalars(
                    select(Account.id).where(
                        Account.role == role, Account.organisation == organisation, Account.is_active
                    )
                )
            )

    def everywhere(self, role: Role) -> list[str]:
        """The ids of all open accounts of this role, of whatever organisation."""
        with self._sessions() as session:
            return list(session.scalars(select(Account.id).where(Account.role == role, Account.is_active)))

    def of_duty(self, duty: Duty, organisation: str | None) -> list[str]:
        """The ids of all open accounts with this duty in this organisation."""
        with self._sessions() as session:
            rows = session.scalars(
                select(Account).where(Account.organisation == organisation, Account.is_active, Account.duties != "")
            )
            return [row.id for row in rows if duty in _duties_of(row)]

    def team_of(self, supervisor: Actor) -> list[TeamMember]:
        """The caseworkers of the supervisor's team, by name. A supervisor without a team has those without one."""
        team = Account.team.is_(None) if supervisor.team is None else Account.team == supervisor.team
        wanted = select(Account).where(
            Account.role == Role.CASEWORKER, Account.organisation == (supervisor.organisation or ""), team
        )
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(Account.name, Account.id))
            return [TeamMember(row.id, row.name, self._actor(row).personal_code) for row in rows]

    def names(self, accounts: Iterable[str]) -> dict[str, str]:
        """The names behind account ids, closed accounts too."""
        wanted = select(Account.id, Account.name).where(Account.id.in_(set(accounts)))
        with self._sessions() as session:
            return {row.id: row.name for row in session.execute(wanted)}

    def demonstration_people(self) -> list[DemonstrationAccount]:
        with self._sessions() as session:
            rows = session.scalars(
                select(Account).where(Account.is_demonstration, Account.is_active).order_by(Account.position)
            )
            return [
                DemonstrationAccount(row.id, Role(row.role), row.name, row.organisation, row.persona) for row in rows
            ]

    def demonstration_person(self, account_id: str) -> Actor:
        """Raises NothingHere when `account_id` is not a demonstration person."""
        with self._sessions() as session:
            row = session.get(Account, account_id)
            if row is None or not row.is_active or not row.is_demonstration:
                raise NothingHere
            return self._actor(row)

    def _citizen(self, code: PersonalCode, name: str) -> Actor | None:
        with self._sessions.begin() as session:
            row = self._holder(session, code)
            if row is None:
                return None
            if not row.is_active:
                raise AccountClosed
            if name and row.name != name:
                row.name = name
            return self._actor(row)

    def _holder(self, session: Session, code: PersonalCode) -> Account | None:
        return session.scalar(select(Account).where(Account.citizen_index == self._index(code)))

    def _index(self, code: PersonalCode) -> bytes:
        return self._sealer.blind_index(code.subject, "citizen")

    def _row(self, new: NewAccount, account_id: str, position: int, now: datetime, demonstration: bool) -> Account:
        code = new.personal_code
        is_citizen = new.role is Role.CITIZEN and code is not None
        return Account(
            id=account_id,
            role=new.role,
            name=new.name,
            organisation=new.organisation,
            team=new.team,
            sealed_personal_code=None if code is None else self._sealer.seal(code.reveal(), account_id),
            citizen_index=self._index(code) if is_citizen and code is not None else None,
            is_active=True,
            is_demonstration=demonstration,
            persona=new.persona,
            position=position,
            created_at=now,
            duties=",".join(sorted(new.duties)),
        )

    def _actor(self, row: Account) -> Actor:
        sealed = row.sealed_personal_code
        code = None if sealed is None else PersonalCode.parse(self._sealer.unseal(sealed, row.id))
        return Actor(row.id, Role(row.role), row.name, row.organisation, code, row.team, _duties_of(row))


def _duties_of(row: Account) -> frozenset[Duty]:
    """A duty that this release does not know counts for nothing."""
    return frozenset(Duty(duty) for duty in row.duties.split(",") if duty in set(Duty))
