"""Findings: what an auditor does about a look that seems wrong, step by step, to its end.

Every step is an entry in the log before it is kept here. The order is fixed: evidence, the official's word, a decision
with reasons, the people told where misuse was confirmed, the end. Nobody has a hand in a finding about themselves.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.trail import LoggedAccess
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.findings import FindingRefused, FindingState, Sanction, StepKind, Verdict, Why
from portal.models.findings import Finding, FindingEvidence, FindingStep
from portal.services.accounts import Accounts
from portal.services.clock import Clock
from portal.services.finding_files import FindingFile, FindingRow, Question, Step, Tally
from portal.services.oversight import Oversight
from portal.services.sealing import Sealer

LIST_LENGTH = 50


class Findings:
    """Opens findings and takes them through their steps."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, accounts: Accounts, oversight: Oversight, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._accounts = accounts
        self._oversight = oversight
        self._clock = clock

    def open(self, actor: Actor, reference: str, text: str, *, request_id: str) -> str:
        """Open a finding about the official behind an entry; gives its id.

        Raises:
            NothingHere: `reference` is none of this actor's, or the entry was erased.
            FindingRefused: the look was the actor's own.
        """
        logged = self._oversight.shown(actor, reference)
        if logged.access is None:
            raise NothingHere
        access, finding_id = logged.access, str(uuid.uuid4())
        if access.official == actor.account_id:
            raise FindingRefused(Why.OWN_CASE)
        with self._sessions.begin() as session:
            number = (session.scalar(select(func.max(Finding.number))) or 0) + 1
            name = access.official_name
            finding = Finding(
                id=finding_id,
                number=number,
                organisation=access.organisation,
                official=access.official,
                sealed_official_name=None if name is None else self._sealer.seal(name, finding_id),
                opened_at=self._clock(),
                assigned_to=actor.account_id,
                state=FindingState.OPEN,
            )
            session.add(finding)
            session.flush()  # a second finding of this number is refused before anything is written to the log
            self._add(session, finding, actor, StepKind.OPENED, Action.FINDING_OPENING, request_id, text)
            session.add(FindingEvidence(id=str(uuid.uuid4()), finding_id=finding_id, seq=logged.seq))
        return finding_id

    def attach(self, actor: Actor, finding_id: str, reference: str, *, request_id: str) -> None:
        """Add an entry to the evidence; one that is there already changes nothing.

        Raises:
            NothingHere: there is no such finding, or `reference` is none of this actor's.
            FindingRefused: it is decided, or the entry is another official's.
        """
        logged = self._oversight.shown(actor, reference)
        with self._changing(actor, finding_id, FindingState.OPEN) as (session, finding):
            if logged.access is None or logged.access.official != finding.official:
                raise FindingRefused(Why.ANOTHER_OFFICIAL)
            if logged.seq in {one.seq for one in finding.evidence}:
                return
            session.add(FindingEvidence(id=str(uuid.uuid4()), finding_id=finding_id, seq=logged.seq))
            self._add(session, finding, actor, StepKind.EVIDENCE, Action.FINDING_EVIDENCE, request_id, entry=logged.seq)

    def take_over(self, actor: Actor, finding_id: str, *, request_id: str) -> None:
        """Have the finding assigned to the actor. Raises NothingHere, FindingRefused."""
        with self._changing(actor, finding_id, FindingState.OPEN, FindingState.DECIDED) as (session, finding):
            if finding.assigned_to != actor.account_id:
                finding.assigned_to = actor.account_id
                self._add(session, finding, actor, StepKind.ASSIGNED, Action.FINDING_ASSIGNMENT, request_id)

    def ask(self, actor: Actor, finding_id: str, text: str, *, request_id: str) -> None:
        """Ask the official for a statement. Raises NothingHere, FindingRefused."""
        with self._changing(actor, finding_id, FindingState.OPEN) as (session, finding):
            if not self._can_be_asked(finding):
                raise FindingRefused(Why.NOBODY_TO_ASK)
            if _is_waiting(finding):
                raise FindingRefused(Why.QUESTION_OPEN)
            self._add(session, finding, actor, StepKind.QUESTION, Action.FINDING_QUESTION, request_id, text)

    def questions(self, actor: Actor) -> list[Question]:
        """What the actor is asked about looks of their own, the oldest first."""
        mine = select(Finding).where(Finding.official == actor.account_id, Finding.state == FindingState.OPEN)
        with self._sessions() as session:
            findings = session.scalars(mine.order_by(Finding.number)).all()
            return [self._question(finding) for finding in findings if _is_waiting(finding)]

    def answer(self, actor: Actor, finding_id: str, text: str, *, request_id: str) -> None:
        """Give one's statement.

        Raises:
            NothingHere: the actor is asked nothing in such a finding.
        """
        with self._locked(finding_id) as (session, finding):
            if finding.official != actor.account_id or finding.state != FindingState.OPEN or not _is_waiting(finding):
                raise NothingHere
            self._add(session, finding, actor, StepKind.STATEMENT, Action.FINDING_STATEMENT, request_id, text)

    def decide(
        self, actor: Actor, finding_id: str, verdict: Verdict, sanction: Sanction, text: str, *, request_id: str
    ) -> None:
        """Decide with reasons; a sanction goes with confirmed misuse alone. Raises NothingHere, FindingRefused."""
        with self._changing(actor, finding_id, FindingState.OPEN) as (session, finding):
            if _is_waiting(finding):
                raise FindingRefused(Why.QUESTION_OPEN)
            if verdict is Verdict.DISMISSED and sanction is not Sanction.NONE:
                raise FindingRefused(Why.NOT_CONFIRMED)
            finding.state, finding.verdict, finding.sanction = FindingState.DECIDED, verdict, sanction
            finding.decided_at = self._clock()
            self._add(
                session, finding, actor, StepKind.DECISION, Action.FINDING_DECISION, request_id, text,
                verdict=verdict.value, sanction=sanction.value,
            )  # fmt: skip

    def tell(self, actor: Actor, finding_id: str, *, request_id: str) -> int:
        """Tell everybody whose data it was, by an entry in their own history; gives how many were told.

        Nobody is told of an access that is still withheld from them by a seal.

        Raises:
            NothingHere: there is no such finding.
            FindingRefused: it is not decided, not confirmed, or done already.
        """
        with self._changing(actor, finding_id, FindingState.DECIDED) as (session, finding):
            if finding.verdict != Verdict.CONFIRMED:
                raise FindingRefused(Why.NOT_CONFIRMED)
            if finding.told_at is not None:
                raise FindingRefused(Why.ALREADY_CLOSED)
            notices = self._notices(actor, finding, request_id)
            self._oversight.note(notices)
            finding.told_at = self._clock()
            self._add(
                session, finding, actor, StepKind.NOTICE, Action.FINDING_NOTICE, request_id, told=len(notices)
            )  # fmt: skip
            return len(notices)

    def close(self, actor: Actor, finding_id: str, text: str, *, request_id: str) -> None:
        """End it. Raises NothingHere, FindingRefused while it is undecided or people have still to be told."""
        with self._changing(actor, finding_id, FindingState.DECIDED) as (session, finding):
            if finding.verdict == Verdict.CONFIRMED and finding.told_at is None:
                raise FindingRefused(Why.PEOPLE_NOT_TOLD)
            finding.state, finding.closed_at = FindingState.CLOSED, self._clock()
            self._add(session, finding, actor, StepKind.CLOSED, Action.FINDING_CLOSING, request_id, text)

    def file(self, actor: Actor, finding_id: str) -> FindingFile:
        """A finding whole. Raises NothingHere when there is none, or it is about the actor."""
        with self._sessions() as session:
            finding = session.get(Finding, finding_id)
            if finding is None or finding.official == actor.account_id:
                raise NothingHere
            evidence = [self._oversight.numbered(one.seq) for one in finding.evidence]
            return FindingFile(
                self._row(finding),
                tuple((self._oversight.reference(actor, logged.seq), logged) for logged in evidence),
                tuple(self._step(step, finding.official) for step in finding.steps),
                None if finding.sanction is None else Sanction(finding.sanction),
                finding.told_at,
                self._can_be_asked(finding),
                _is_waiting(finding),
            )

    def newest(self, actor: Actor, state: FindingState | None = None) -> list[FindingRow]:
        """The newest findings, those about the actor left out."""
        wanted = select(Finding).order_by(Finding.number.desc()).limit(LIST_LENGTH)
        if state is not None:
            wanted = wanted.where(Finding.state == state)
        with self._sessions() as session:
            rows = session.scalars(wanted.where(Finding.official.is_distinct_from(actor.account_id)))
            return [self._row(finding) for finding in rows]

    def open_about(self, actor: Actor, official: str) -> list[FindingRow]:
        """The open findings about an official, to which an entry of theirs can be added."""
        if official == actor.account_id:
            return []
        wanted = select(Finding).where(Finding.official == official, Finding.state == FindingState.OPEN)
        with self._sessions() as session:
            return [self._row(finding) for finding in session.scalars(wanted.order_by(Finding.number))]

    def tallies(self) -> list[Tally]:
        """How many findings each organisation has, and what they came to; the most first."""
        confirmed = func.count().filter(Finding.verdict == Verdict.CONFIRMED)
        dismissed = func.count().filter(Finding.verdict == Verdict.DISMISSED)
        counted = select(Finding.organisation, func.count(), confirmed, dismissed).group_by(Finding.organisation)
        with self._sessions() as session:
            rows = session.execute(counted.order_by(func.count().desc(), Finding.organisation))
            return [Tally(*row) for row in rows]

    def proofs(
        self, actor: Actor, finding_id: str, may_show: Callable[[LoggedAccess], bool]
    ) -> Iterator[tuple[str, str]]:
        """Name and text of a receipt for each entry of the evidence, with its contents where `may_show` says so.

        Raises NothingHere.
        """
        found = self.file(actor, finding_id)
        return (
            (f"entry-{logged.seq}.txt", self._oversight.receipt(actor, reference, with_body=may_show(logged)).text)
            for reference, logged in found.evidence
        )

    @contextmanager
    def _locked(self, finding_id: str) -> Iterator[tuple[Session, Finding]]:
        """One finding, held against every other change of it on both databases until the step is kept."""
        with self._sessions.begin() as session:
            held = session.execute(update(Finding).where(Finding.id == finding_id).values(number=Finding.number))
            finding = session.get(Finding, finding_id) if held.rowcount else None  # type: ignore[attr-defined]
            if finding is None:
                raise NothingHere
            yield session, finding

    @contextmanager
    def _changing(self, actor: Actor, finding_id: str, *states: FindingState) -> Iterator[tuple[Session, Finding]]:
        with self._locked(finding_id) as (session, finding):
            if finding.official == actor.account_id:
                raise NothingHere
            state = FindingState(finding.state)
            if state not in states:
                raise FindingRefused(_why_not(state))
            yield session, finding

    def _add(
        self,
        session: Session,
        finding: Finding,
        actor: Actor,
        kind: StepKind,
        action: Action,
        request_id: str,
        text: str | None = None,
        **details: str | int,
    ) -> None:
        event = self._oversight.event(actor, action, request_id, None, {"finding": finding.number, **details})
        [entry] = self._oversight.note([event])
        step_id = str(uuid.uuid4())
        session.add(
            FindingStep(
                id=step_id,
                finding_id=finding.id,
                position=len(finding.steps),
                kind=kind,
                account_id=actor.account_id,
                at=self._clock(),
                entry=entry,
                sealed_text=None if text is None else self._sealer.seal(text, step_id),
            )
        )

    def _notices(self, actor: Actor, finding: Finding, request_id: str) -> Sequence[Access]:
        first: dict[str, int] = {}
        for one in finding.evidence:
            access = self._oversight.numbered(one.seq).access
            if access is not None and access.subject is not None and access.seal is None:
                first.setdefault(access.subject, one.seq)
        return [
            self._oversight.event(
                actor, Action.FINDING_NOTICE, request_id, subject, {"finding": finding.number, "refers-to": seq}
            )
            for subject, seq in first.items()
        ]

    def _can_be_asked(self, finding: Finding) -> bool:
        try:
            return finding.official is not None and self._accounts.actor(finding.official) is not None
        except NothingHere:
            return False

    def _question(self, finding: Finding) -> Question:
        asked = [step for step in finding.steps if step.kind == StepKind.QUESTION][-1]
        looks = tuple(self._oversight.numbered(one.seq) for one in finding.evidence)
        return Question(finding.id, finding.number, asked.at, self._text(asked) or "", looks)

    def _row(self, finding: Finding) -> FindingRow:
        sealed = finding.sealed_official_name
        return FindingRow(
            finding.id,
            finding.number,
            finding.organisation,
            finding.official,
            None if sealed is None else self._sealer.unseal(sealed, finding.id),
            finding.opened_at,
            self._name_of(finding.assigned_to),
            FindingState(finding.state),
            None if finding.verdict is None else Verdict(finding.verdict),
        )

    def _step(self, step: FindingStep, official: str | None) -> Step:
        by, text = self._name_of(step.account_id), self._text(step)
        return Step(StepKind(step.kind), by, step.account_id == official, step.at, step.entry, text)

    def _text(self, step: FindingStep) -> str | None:
        return None if step.sealed_text is None else self._sealer.unseal(step.sealed_text, step.id)

    def _name_of(self, account_id: str) -> str:
        """The person's name; a closed account's id."""
        try:
            return self._accounts.actor(account_id).name
        except NothingHere:
            return account_id


def _is_waiting(finding: Finding) -> bool:
    """Whether the official was asked and has not answered."""
    words = [step.kind for step in finding.steps if step.kind in {StepKind.QUESTION, StepKind.STATEMENT}]
    return bool(words) and words[-1] == StepKind.QUESTION


def _why_not(state: FindingState) -> Why:
    return {
        FindingState.OPEN: Why.NOT_DECIDED,
        FindingState.DECIDED: Why.ALREADY_DECIDED,
        FindingState.CLOSED: Why.ALREADY_CLOSED,
    }[state]
