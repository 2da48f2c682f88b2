"""Gathers what the rules may know: looks from the log; officials, cases and absences from the portal's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from portal.domain.actions import Action, Outcome
from portal.domain.deadlines import is_estonian_holiday
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.cases import Case
from portal.models.seals import Seal
from portal.models.supervision import Absence
from portal.services.accounts import Accounts
from portal.services.news_pegs import NewsPegs
from portal.services.sealing import Sealer
from portal.services.unusual.facts import Facts, KnownCase, Look

_CHUNK = 500


class UnusualFacts:
    """Reads the portal's own tables for the rules. No registry is asked here."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        accounts: Accounts,
        news: NewsPegs,
        zone: ZoneInfo,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._accounts = accounts
        self._news = news
        self._zone = zone

    def look(self, seq: int, access: Access) -> Look | None:
        """The entry as a look that the rules judge: a named official's at one person; None for anything else."""
        if access.action != Action.READ or access.official is None or access.subject is None:
            return None
        if access.outcome == Outcome.FAILED:  # the second entry of a look that the registry did not answer
            return None
        return Look(
            seq=seq,
            at=access.occurred_at.astimezone(self._zone),
            official=access.official,
            organisation=access.organisation or "",
            subject=access.subject,
            purpose=access.purpose,
            registry=access.registry,
            case=None if access.case is None else _named(access.organisation or "", access.case),
            justification=access.justification,
            denied=access.outcome == Outcome.DENIED,
        )

    def of(self, looks: Sequence[Look]) -> Facts:
        """What is known beside these looks, without a word about people's ties."""
        officials = {look.official for look in looks}
        persons, teams = self._officials(officials)
        return Facts(
            persons_of=persons,
            teams=teams,
            cases=dict(self._cases({look.case for look in looks if look.case is not None})),
            absences=self._absences(officials),
            holidays=_holidays(looks),
            seals=self._seals(looks),
            news=self._news.pegs(),
        )

    def _officials(self, officials: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
        persons: dict[str, str] = {}
        teams: dict[str, str] = {}
        for official in officials:
            try:
                actor = self._accounts.actor(official)
            except NothingHere:
                continue  # an account of another system, or one that was closed
            if actor.personal_code is not None:
                persons[official] = actor.personal_code.subject
            if actor.team is not None:
                teams[official] = actor.team
        return persons, teams

    def _cases(self, named: set[str]) -> Iterator[tuple[str, KnownCase]]:
        references = sorted({name.partition("\n")[2] for name in named})
        with self._sessions() as session:
            for start in range(0, len(references), _CHUNK):
                chunk = references[start : start + _CHUNK]
                for row in session.scalars(select(Case).where(Case.reference.in_(chunk))):
                    name = _named(row.organisation, row.reference)
                    if name in named:
                        yield name, self._case(row)

    def _case(self, row: Case) -> KnownCase:
        codes = (self._sealer.unseal(one.sealed_personal_code, one.id) for one in row.subjects)
        return KnownCase(
            team=row.team,
            officials=frozenset(one.account_id for one in row.officials),
            subjects=frozenset(f"EE{code.removeprefix('EE')}" for code in codes),
            opened=row.opened_at,
            closed=row.closed_at,
        )

    def _seals(self, looks: Sequence[Look]) -> Mapping[str, Sequence[datetime]]:
        """When seals on the people of these looks were registered; only a seal after a look says anything of it."""
        subjects = {look.subject for look in looks}
        wanted = select(Seal).where(Seal.registered_at >= min((look.at for look in looks), default=self._news.now()))
        found: dict[str, list[datetime]] = {}
        with self._sessions() as session:
            for row in session.scalars(wanted.order_by(Seal.registered_at)):
                subject = PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id)).subject
                if subject in subjects:
                    found.setdefault(subject, []).append(row.registered_at)
        return found

    def _absences(self, officials: set[str]) -> Mapping[str, Sequence[tuple[date, date]]]:
        found: dict[str, list[tuple[date, date]]] = {}
        with self._sessions() as session:
            for row in session.scalars(select(Absence)):
                if row.account_id in officials:
                    found.setdefault(row.account_id, []).append((row.first_day, row.last_day))
        return found


def _holidays(looks: Sequence[Look]) -> frozenset[date]:
    if not looks:
        return frozenset()
    first, last = min(look.at for look in looks).date(), max(look.at for look in looks).date()
    days = (first + timedelta(days=after) for after in range((last - first).days + 1))
    return frozenset(day for day in days if is_estonian_holiday(day))


def _named(organisation: str, reference: str) -> str:
    """Two organisations may use one reference."""
    return f"{organisation}\n{reference}"


def day_in(zone: ZoneInfo, moment: datetime) -> date:
    return moment.astimezone(zone).date()
