"""The accounts of staff, as administrators see them: who, as what, where, and how they stand. Citizens are not here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, delete, func, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.elements import ColumnElement

from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.domain.staff import STAFF_ROLES, Standing
from portal.models.accounts import Account
from portal.models.staff import EnrolmentCode, Passkey, StaffCredentials

PAGE_LENGTH = 50
_MAXIMUM_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What to list. Empty means everything; `name` is a part of the name."""

    name: str = ""
    role: Role | None = None
    organisation: str | None = None
    standing: Standing | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account. `code_ends_at` is given while there is an enrolment code, and `passkeys` counts them."""

    account_id: str
    name: str
    role: Role
    organisation: str | None
    standing: Standing
    has_local_credentials: bool
    passkeys: int
    locked_until: datetime | None
    code_opens_at: datetime | None
    code_ends_at: datetime | None

    @property
    def person(self) -> Actor:
        """The account as an actor, whether or not it can sign in: whom entries and sessions are about."""
        return Actor(self.account_id, self.role, self.name, self.organisation)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of the list, and how many accounts the filter finds in all."""

    lines: list[AccountLine]
    total: int
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * PAGE_LENGTH < self.total


class StaffAccounts:
    """Reads the accounts of staff."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def page(self, wanted: AccountFilter) -> AccountPage:
        """One page, by name."""
        conditions = _conditions(wanted)
        page = min(max(wanted.page, 1), _MAXIMUM_PAGE)
        with self._sessions() as session:
            total = session.scalar(select(func.count()).select_from(_found(conditions).subquery())) or 0
            rows = session.execute(
                _found(conditions)
                .order_by(func.lower(Account.name), Account.id)
                .offset((page - 1) * PAGE_LENGTH)
                .limit(PAGE_LENGTH)
            )
            return AccountPage([_line(*row) for row in rows], total, page)

    def line(self, account_id: str) -> AccountLine:
        """Raises NothingHere for a citizen's account and for none."""
        with self._sessions() as session:
            return line_in(session, account_id)

    def active_administrators(self) -> int:
        with self._sessions() as session:
            return count_active(session, Role.ADMINISTRATOR)


def line_in(session: Session, account_id: str) -> AccountLine:
    """As `StaffAccounts.line`, in the caller's transaction."""
    row = session.execute(_found([Account.id == account_id])).one_or_none()
    if row is None:
        raise NothingHere
    return _line(*row)


def count_active(session: Session, role: Role) -> int:
    return session.scalar(select(func.count()).where(Account.role == role, Account.is_active)) or 0


def void_credentials(session: Session, account_id: str, standing: Standing) -> bool:
    """Password, passkeys and code of an account are gone from here on. Says whether it has local credentials at all."""
    session.execute(delete(Passkey).where(Passkey.account_id == account_id))
    session.execute(delete(EnrolmentCode).where(EnrolmentCode.account_id == account_id))
    credentials = session.get(StaffCredentials, account_id)
    if credentials is None:
        return False
    credentials.standing = standing
    credentials.sealed_password = None
    credentials.wrong_passwords = 0
    credentials.locked_until = None
    return True


def _found(conditions: list[ColumnElement[bool]]) -> Select[Account, StaffCredentials, EnrolmentCode, int]:
    passkeys = select(func.count()).where(Passkey.account_id == Account.id).scalar_subquery()
    return (
        select(Account, StaffCredentials, EnrolmentCode, passkeys.label("passkeys"))
        .outerjoin(StaffCredentials, StaffCredentials.account_id == Account.id)
        .outerjoin(EnrolmentCode, EnrolmentCode.account_id == Account.id)
        .where(Account.role.in_(STAFF_ROLES), *conditions)
    )


def _conditions(wanted: AccountFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.name:
        conditions.append(func.lower(Account.name).contains(wanted.name.lower(), autoescape=True))
    if wanted.role is not None:
        conditions.append(Account.role == wanted.role)
    if wanted.organisation is not None:
        conditions.append(Account.organisation == wanted.organisation)
    if wanted.standing is not None:
        standing = case(
            (Account.is_active, Standing.ACTIVE.value),
            else_=func.coalesce(StaffCredentials.standing, Standing.CLOSED.value),
        )
        conditions.append(standing == wanted.standing.value)
    return conditions


def _line(
    account: Account, credentials: StaffCredentials | None, code: EnrolmentCode | None, passkeys: int
) -> AccountLine:
    standing = Standing.CLOSED if credentials is None else Standing(credentials.standing)
    return AccountLine(
        account_id=account.id,
        name=account.name,
        role=Role(account.role),
        organisation=account.organisation,
        standing=Standing.ACTIVE if account.is_active else standing,
        has_local_credentials=credentials is not None,
        passkeys=passkeys,
        locked_until=None if credentials is None else credentials.locked_until,
        code_opens_at=None if code is None else code.opens_at,
        code_ends_at=None if code is None else code.ends_at,
    )
