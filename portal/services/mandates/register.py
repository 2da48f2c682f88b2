"""The register of mandates: how a row is found, read by either side, and told of in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from audit.entry import Access
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.identifiers import PersonalCode
from portal.domain.mandates import MandateState, Parties, Side
from portal.domain.purposes import Purpose
from portal.models.mandates import Mandate
from portal.services.sealing import Sealer

_PEOPLE = "mandates/person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMandate:
    """One mandate as one of its sides sees it. `other` is how that side knows the other one."""

    mandate_id: str
    side: Side
    other: str = field(repr=False)
    state: MandateState
    registries: tuple[str, ...]
    given_at: datetime
    last_day: date
    ended_at: datetime | None
    ended_by: Side | None
    uses: int
    last_used_at: datetime | None
    given_entry: int

    @property
    def was_given(self) -> bool:
        """The reader is the one who gave it."""
        return self.side is Side.GIVER


class Register:
    """Reads rows. It opens no session of its own."""

    def __init__(self, sealer: Sealer, zone: ZoneInfo) -> None:
        self._sealer = sealer
        self._zone = zone

    def index_of(self, person: PersonalCode) -> bytes:
        return self._sealer.blind_index(person.subject, _PEOPLE)

    def seal(self, parties: Parties, mandate_id: str) -> bytes:
        return self._sealer.seal(parties.as_json(), f"{mandate_id}/parties")

    def parties(self, row: Mandate) -> Parties:
        return Parties.from_json(self._sealer.unseal(row.sealed_parties, f"{row.id}/parties"))

    def of_person(self, person: PersonalCode) -> Select[Mandate]:
        """What the person gave or received."""
        index = self.index_of(person)
        return select(Mandate).where(or_(Mandate.giver_index == index, Mandate.receiver_index == index))

    def found(self, session: Session, person: PersonalCode, mandate_id: str) -> Mandate | None:
        """A mandate of which the person is a side; another's is as if it were not there."""
        return session.scalars(self.of_person(person).where(Mandate.id == mandate_id)).one_or_none()

    def received(self, session: Session, person: PersonalCode, mandate_id: str) -> Mandate | None:
        wanted = select(Mandate).where(Mandate.id == mandate_id, Mandate.receiver_index == self.index_of(person))
        return session.scalars(wanted).one_or_none()

    def side_of(self, row: Mandate, person: PersonalCode) -> Side:
        return Side.GIVER if row.giver_index == self.index_of(person) else Side.RECEIVER

    def last_day(self, row: Mandate) -> date:
        return (row.ends_at - timedelta(seconds=1)).astimezone(self._zone).date()

    def shown(self, row: Mandate, reader: PersonalCode, now: datetime) -> ShownMandate:
        parties, side = self.parties(row), self.side_of(row, reader)
        return ShownMandate(
            mandate_id=row.id,
            side=side,
            other=parties.receiver_called if side is Side.GIVER else parties.giver_name,
            state=_state(row, now),
            registries=tuple(row.registries.split(",")),
            given_at=row.given_at,
            last_day=self.last_day(row),
            ended_at=row.ended_at,
            ended_by=None if row.ended_by is None else Side(row.ended_by),
            uses=row.uses,
            last_used_at=row.last_used_at,
            given_entry=row.given_entry,
        )


def in_force(now: datetime) -> ColumnElement[bool]:
    return Mandate.ended_at.is_(None) & (Mandate.ends_at > now)


def step(
    action: Action,
    purpose: Purpose,
    about: PersonalCode,
    by: Actor,
    at: datetime,
    request_id: str,
    *,
    details: Mapping[str, str | int] | None = None,
    reason: Reason | None = None,
) -> Access:
    """A step of a mandate as the log has it. Who did it is named to the other side, as in a look."""
    is_own = by.personal_code == about
    return Access(
        action=action,
        outcome=Outcome.DONE if reason is None else Outcome.DENIED,
        source=PORTAL_SOURCE,
        occurred_at=at,
        subject=about.subject,
        role=by.role,
        official=None if is_own else by.account_id,
        official_name=None if is_own else by.name,
        purpose=purpose.code,
        lawful_basis=purpose.lawful_basis.en,
        request_id=request_id,
        reason=reason,
        details=details or {},
    )


def _state(row: Mandate, now: datetime) -> MandateState:
    if row.ended_at is not None:
        return MandateState.ENDED
    return MandateState.IN_FORCE if now < row.ends_at else MandateState.OVER
