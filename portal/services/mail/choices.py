"""Of what a person is told, and how soon: for each kind of alert, and for looks by their purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.domain.mail import Cadence
from portal.domain.purposes import Purpose
from portal.models.alerts import Alert
from portal.models.mail import AlertChoice
from portal.services.alerts import AlertKind

#: What a person must be able to find in the portal, whatever they chose. By mail each of them can be switched off.
ESSENTIAL = (
    AlertKind.FINDING_ON_YOU,
    AlertKind.NEW_DEVICE,
    AlertKind.EMERGENCY_ON_YOU,
    AlertKind.SEAL_ENDED,
    AlertKind.DISPUTE_STEP,
    AlertKind.CONSENT_ASKED,
    AlertKind.MANDATE_GIVEN,
    AlertKind.MANDATE_ENDED,
)
#: When a digest goes out, in the zone of its reader; the weekly one on this day (0 is Monday).
DIGEST_AT = time(8)
DIGEST_DAY = 0
#: Stands for "no mail about this".
NEVER_DUE = datetime(9999, 1, 1, tzinfo=UTC)
_REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@dataclass(frozen=True, slots=True)
class Choice:
    """How soon a mail goes out about a topic, and whether the portal shows it on the first page."""

    cadence: Cadence
    in_portal: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that one may be told of: `kind`, or looks for `purpose`. `is_essential` stays in the portal."""

    code: str
    kind: AlertKind
    purpose: Purpose | None
    is_essential: bool
    default: Choice


def topics_of(purposes: Mapping[str, Purpose]) -> dict[str, Topic]:
    """Everything that a person can choose about, in the order in which a page shows it."""
    essential = [Topic(kind, kind, None, True, Choice(Cadence.AT_ONCE, in_portal=True)) for kind in ESSENTIAL]
    looks = [
        Topic(topic_of_look(purpose.code), AlertKind.LOOK, purpose, False, _default(purpose))
        for purpose in purposes.values()
        if purpose.permits
    ]
    return {topic.code: topic for topic in (*essential, *looks)}


def topic_of_look(purpose: str) -> str:
    return f"{AlertKind.LOOK}/{purpose}"


def topic_of(kind: str, place: str | None) -> str:
    return topic_of_look(place or "") if kind == AlertKind.LOOK else kind


def _default(purpose: Purpose) -> Choice:
    """Looks by people are told weekly; what systems do by themselves is in the history for whoever wants it."""
    if purpose.is_automatic:
        return Choice(Cadence.NEVER, in_portal=False)
    return Choice(Cadence.WEEKLY, in_portal=True)


def time_zones() -> list[str]:
    """Every zone that is named after a place."""
    return sorted(zone for zone in available_timezones() if zone.partition("/")[0] in _REGIONS)


def chosen(session: Session, account_id: str, topics: Mapping[str, Topic]) -> dict[str, Choice]:
    """The person's choice for each topic, or what the house chose for them. An essential topic is always shown."""
    rows = session.scalars(select(AlertChoice).where(AlertChoice.account_id == account_id))
    kept = {row.topic: Choice(Cadence(row.cadence), row.in_portal) for row in rows}
    return {
        code: Choice(given.cadence, given.in_portal or topic.is_essential)
        for code, topic in topics.items()
        for given in [kept.get(code, topic.default)]
    }


def choose(session: Session, account_id: str, wanted: Mapping[str, Choice], subject_index: bytes) -> None:
    """Keep the choices, and have what waits to be mailed planned anew by them."""
    session.execute(delete(AlertChoice).where(AlertChoice.account_id == account_id))
    session.add_all(AlertChoice(account_id=account_id, topic=code, cadence=choice.cadence, in_portal=choice.in_portal)
                    for code, choice in wanted.items())  # fmt: skip
    session.execute(
        update(Alert).where(Alert.subject_index == subject_index, Alert.mailed_at.is_(None)).values(mail_due_at=None)
    )


def due(raised_at: datetime, cadence: Cadence, zone: ZoneInfo) -> datetime:
    """When a mail about something raised then goes out. A digest leaves at its hour on the reader's own clock."""
    if cadence is Cadence.NEVER:
        return NEVER_DUE
    if cadence is Cadence.AT_ONCE:
        return raised_at
    local = raised_at.astimezone(zone)
    day = local.date() if local.time() < DIGEST_AT else local.date() + timedelta(days=1)
    if cadence is Cadence.WEEKLY:
        day += timedelta(days=(DIGEST_DAY - day.weekday()) % 7)
    return datetime.combine(day, DIGEST_AT, zone).astimezone(UTC)
