"""How an administrator changes what somebody may do: in one transaction with its entry, and never for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Reason
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere, PortalError
from portal.models.accounts import Account
from portal.services.entrance import Entrance
from portal.services.staff_ledger import Deed, StaffLedger


class OwnAccount(PortalError):
    """Nobody changes, approves or recovers their own account. The page says so."""


class NotInThatState(PortalError):
    """The account or request does not stand as it would have to: somebody else was faster. The page says to look."""


class Rights:
    """What administration and its requests share: the transaction, the entry, and the end of sessions."""

    def __init__(self, sessions: sessionmaker[Session], entrance: Entrance, ledger: StaffLedger) -> None:
        self._sessions = sessions
        self._entrance = entrance
        self._ledger = ledger

    def now(self) -> datetime:
        return self._ledger.now()

    @contextmanager
    def changing(self, actor: Actor, account_id: str) -> Iterator[Session]:
        """A transaction in which `actor` is still an administrator and `account_id` is somebody else's.

        Both rows are locked in one order, so that two administrators who close each other do not both succeed.

        Raises:
            OwnAccount: it is the actor's own.
            NothingHere: the actor is no administrator any more.
        """
        if account_id == actor.account_id:
            raise OwnAccount
        both = select(Account).where(Account.id.in_([actor.account_id, account_id])).order_by(Account.id)
        with self._sessions.begin() as session:
            rows = {row.id: row for row in session.scalars(both.with_for_update())}
            own = rows.get(actor.account_id)
            if own is None or not own.is_active or own.role != Role.ADMINISTRATOR:
                raise NothingHere
            yield session

    @contextmanager
    def opening(self) -> Iterator[Session]:
        """A transaction of whoever holds the machine, for the command line."""
        with self._sessions.begin() as session:
            yield session

    def note(self, session: Session, actor: Actor, request_id: str, *deeds: Deed) -> None:
        """The entries of what was changed in this transaction, durable before it is committed.

        Raises DisclosureUnavailable: the transaction ends without the change.
        """
        session.flush()
        self._ledger.note(actor, request_id, *deeds)

    def end_sessions(self, person: Actor, reason: Reason, request_id: str) -> int:
        """After the change is committed: where the person is signed in, they are out."""
        return self._entrance.end_all(person, reason, request_id)


def details_of(account_id: str, role: Role, organisation: str | None, **more: str) -> dict[str, str]:
    """What an entry says about an account: its id and its rights, never its name."""
    named = {"account": account_id, "role": str(role)}
    if organisation is not None:
        named["organisation"] = organisation
    return named | {key.replace("_", "-"): value for key, value in more.items()}
