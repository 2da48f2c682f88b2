"""Taking over cases from a case system: by file, from the page or the command line, or row by row from a machine.

Repeating an import changes nothing. Each row is judged by itself and reports what became of it; one that is refused
leaves its case as it was. Whoever is assigned to a case may open records with little ado, so each change is an entry.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Role
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.references import is_plain_reference
from portal.models.accounts import Account
from portal.models.cases import Case, CaseOfficial, CaseSubject
from portal.registries.catalogue import Catalogue
from portal.services.case_files import CaseRow
from portal.services.cases import SUBJECT_INDEX
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.sealing import Sealer

#: Rows that are committed together, each with its own outcome.
ROWS_AT_ONCE = 100
REFERENCE_LENGTH, KIND_LENGTH, TEAM_LENGTH = 64, 100, 64
MOST_SUBJECTS = 50
_REFERENCE = re.compile(r"[\w./:-]+(?: [\w./:-]+)*")


class RowState(StrEnum):
    """What became of one row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class RowProblem(StrEnum):
    """Why a row was refused. None of them repeats a personal code."""

    RAGGED = "ragged"
    REFERENCE = "reference"
    REPEATED = "repeated"
    KIND = "kind"
    TEAM = "team"
    ORGANISATION = "organisation"
    ORGANISATION_FOREIGN = "organisation-foreign"
    PURPOSE = "purpose"
    PURPOSE_FOREIGN = "purpose-foreign"
    OPENED = "opened"
    CLOSED = "closed"
    CLOSED_BEFORE_OPENED = "closed-before-opened"
    SUBJECTS = "subjects"
    SUBJECT_CODE = "subject-code"
    OFFICIAL_UNKNOWN = "official-unknown"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row's fate. `position` points at the person or official that is wrong, counted from 1."""

    line: int
    reference: str
    state: RowState
    problem: RowProblem | None = None
    position: int | None = None


class _Refused(Exception):
    def __init__(self, problem: RowProblem, position: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


@dataclass(frozen=True, slots=True)
class _Checked:
    """A row that may be taken over."""

    row: CaseRow
    opened_at: datetime
    closed_at: datetime | None
    subjects: tuple[PersonalCode, ...] = field(repr=False)
    officials: frozenset[str]


class CaseImport:
    """Brings the cases in line with what a case system says. Rows of other organisations are refused to an official."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, log: AuditLog, catalogue: Catalogue, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._catalogue = catalogue
        self._clock = clock

    def take_over(
        self, rows: Sequence[CaseRow], *, request_id: str, by: Actor | None = None, organisation: str | None = None
    ) -> list[RowOutcome]:
        """Take over `rows` in their order; gives one outcome for each.

        With `by` only cases of that official's organisation are taken over; with `organisation`, only that one's (a
        machine speaks for one); with neither, every organisation's (the operator at the command line).

        Raises:
            DisclosureUnavailable: the log could not record some rows. Rows before them are taken over; repeating the
                import takes over the rest.
        """
        only = by.organisation or "" if by is not None else organisation
        officials = self._officials_of({row.organisation for row in rows})
        seen: set[tuple[str, str]] = set()
        outcomes: list[RowOutcome] = []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            chunk = rows[start : start + ROWS_AT_ONCE]
            outcomes += self._take_over(chunk, only, officials, seen, by, request_id)
        return outcomes

    def _take_over(
        self,
        rows: Iterable[CaseRow],
        only: str | None,
        officials: Mapping[str, Mapping[str, str]],
        seen: set[tuple[str, str]],
        by: Actor | None,
        request_id: str,
    ) -> list[RowOutcome]:
        outcomes, changes = [], []
        with self._sessions.begin() as session:
            for row in rows:
                try:
                    checked = self._checked(row, only, officials, seen)
                except _Refused as refusal:
                    outcomes.append(_refused(row, refusal))
                    continue
                state = self._merge(session, checked)
                outcomes.append(RowOutcome(row.line, row.reference, state))
                if state is not RowState.UNCHANGED:
                    changes.append(self._entry(checked, state, by, request_id))
            session.flush()
            # The entries first, then the commit: an entry without a change is found, a change without one is not.
            if changes:
                record(self._log, changes)
        return outcomes

    def _checked(
        self,
        row: CaseRow,
        only: str | None,
        officials: Mapping[str, Mapping[str, str]],
        seen: set[tuple[str, str]],
    ) -> _Checked:
        if row.is_ragged:
            raise _Refused(RowProblem.RAGGED)
        if not _is_reference(row.reference):
            raise _Refused(RowProblem.REFERENCE)
        self._check_whose(row, only)
        if (row.organisation, row.reference) in seen:
            raise _Refused(RowProblem.REPEATED)
        if not row.kind or len(row.kind) > KIND_LENGTH:
            raise _Refused(RowProblem.KIND)
        if len(row.team) > TEAM_LENGTH:
            raise _Refused(RowProblem.TEAM)
        opened = _day(row.opened, RowProblem.OPENED)
        closed = _day(row.closed, RowProblem.CLOSED) if row.closed else None
        if closed is not None and closed < opened:
            raise _Refused(RowProblem.CLOSED_BEFORE_OPENED)
        checked = _Checked(row, opened, closed, _people(row), _known(row, officials[row.organisation]))
        seen.add((row.organisation, row.reference))
        return checked

    def _check_whose(self, row: CaseRow, only: str | None) -> None:
        if only is not None and row.organisation != only:
            raise _Refused(RowProblem.ORGANISATION_FOREIGN)
        if row.organisation not in self._catalogue.organisations:
            raise _Refused(RowProblem.ORGANISATION)
        purpose = self._catalogue.purposes.get(row.purpose)
        if purpose is None or purpose.is_automatic:
            raise _Refused(RowProblem.PURPOSE)
        if row.organisation not in purpose.organisations or Role.CASEWORKER not in purpose.roles:
            raise _Refused(RowProblem.PURPOSE_FOREIGN)

    def _merge(self, session: Session, checked: _Checked) -> RowState:
        row = checked.row
        wanted = select(Case).where(Case.organisation == row.organisation, Case.reference == row.reference)
        case = session.scalar(wanted.options(selectinload(Case.subjects), selectinload(Case.officials)))
        is_new = case is None
        if case is None:
            case = Case(id=str(uuid.uuid4()), organisation=row.organisation, reference=row.reference)
            session.add(case)
        elif self._says(case) == self._is_said(checked):
            return RowState.UNCHANGED
        case.kind, case.purpose, case.team = row.kind, row.purpose, row.team or None
        case.opened_at, case.closed_at, case.changed_at = checked.opened_at, checked.closed_at, self._clock()
        self._set_subjects(case, checked.subjects)
        there = {official.account_id for official in case.officials}
        case.officials = [official for official in case.officials if official.account_id in checked.officials]
        case.officials += [CaseOfficial(account_id=account) for account in sorted(checked.officials - there)]
        return RowState.CREATED if is_new else RowState.CHANGED

    def _set_subjects(self, case: Case, subjects: Sequence[PersonalCode]) -> None:
        """People who stay keep the id by which forms know them."""
        there = {subject.subject_index: subject for subject in case.subjects}
        kept = []
        for position, code in enumerate(subjects):
            index = self._index(code)
            person = there.get(index)
            if person is None:
                person_id = str(uuid.uuid4())
                sealed = self._sealer.seal(code.reveal(), person_id)
                person = CaseSubject(id=person_id, subject_index=index, sealed_personal_code=sealed)
            person.position = position
            kept.append(person)
        case.subjects = kept

    def _says(self, case: Case) -> tuple[object, ...]:
        subjects = [subject.subject_index for subject in case.subjects]
        officials = {official.account_id for official in case.officials}
        return (case.kind, case.purpose, case.team, case.opened_at, case.closed_at, subjects, officials)

    def _is_said(self, checked: _Checked) -> tuple[object, ...]:
        row = checked.row
        subjects = [self._index(code) for code in checked.subjects]
        return (
            row.kind, row.purpose, row.team or None, checked.opened_at, checked.closed_at, subjects,
            set(checked.officials),
        )  # fmt: skip

    def _index(self, code: PersonalCode) -> bytes:
        return self._sealer.blind_index(code.subject, SUBJECT_INDEX)

    def _officials_of(self, organisations: Iterable[str]) -> dict[str, dict[str, str]]:
        """Of each organisation, its caseworkers' accounts by account id and by personal code."""
        known: dict[str, dict[str, str]] = {organisation: {} for organisation in organisations}
        wanted = select(Account).where(
            Account.organisation.in_(list(known)), Account.role == Role.CASEWORKER, Account.is_active
        )
        with self._sessions() as session:
            for row in session.scalars(wanted):
                names = known[row.organisation or ""]
                names[row.id] = row.id
                if row.sealed_personal_code is not None:
                    names[self._sealer.unseal(row.sealed_personal_code, row.id)] = row.id
        return known

    def _entry(self, checked: _Checked, state: RowState, by: Actor | None, request_id: str) -> Access:
        row = checked.row
        return Access(
            action=Action.CASE_CHANGE,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            organisation=row.organisation,
            role=None if by is None else by.role,
            official=None if by is None else by.account_id,
            official_name=None if by is None else by.name,
            purpose=row.purpose,
            case=row.reference,
            request_id=request_id,
            automatic=by is None,
            details={
                "change": "closed" if checked.closed_at is not None else state.value,
                "people": len(checked.subjects),
                "officials": len(checked.officials),
            },
        )


def _refused(row: CaseRow, refusal: _Refused) -> RowOutcome:
    """What stands where the reference should is repeated only if it is one: it could be anything."""
    reference = row.reference if not row.is_ragged and _is_reference(row.reference) else ""
    return RowOutcome(row.line, reference, RowState.REFUSED, refusal.problem, refusal.position)


def _is_reference(text: str) -> bool:
    if len(text) > REFERENCE_LENGTH or not _REFERENCE.fullmatch(text) or not is_plain_reference(text):
        return False
    try:
        PersonalCode.parse(text)
    except InvalidPersonalCode:
        return True
    return False


def _people(row: CaseRow) -> tuple[PersonalCode, ...]:
    if not row.subjects or len(row.subjects) > MOST_SUBJECTS:
        raise _Refused(RowProblem.SUBJECTS)
    people = []
    for position, text in enumerate(row.subjects, start=1):
        try:
            people.append(PersonalCode.parse(text))
        except InvalidPersonalCode:
            raise _Refused(RowProblem.SUBJECT_CODE, position) from None
    return tuple(dict.fromkeys(people))


def _known(row: CaseRow, officials: Mapping[str, str]) -> frozenset[str]:
    """The accounts of the officials named. A case without any is one that nobody may open records in: allowed."""
    accounts = []
    for position, text in enumerate(row.officials, start=1):
        account = officials.get(text) or officials.get(text.removeprefix("EE"))
        if account is None:
            raise _Refused(RowProblem.OFFICIAL_UNKNOWN, position)
        accounts.append(account)
    return frozenset(accounts)


def _day(text: str, problem: RowProblem) -> datetime:
    """Midnight UTC of a day written as ISO 8601 has it."""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        raise _Refused(problem) from None
