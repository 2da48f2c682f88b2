"""The register of decisions: how a row is found and read, what it rests on, and what the log says of each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.entry import Access
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.disputes import DisputeKind
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import DecisionState, Ground, HumanDecision, grounds_from_json, grounds_to_json
from portal.models.decisions import AnnouncedDecision
from portal.services.decisions.standing import Contest, ShownGround, Standings
from portal.services.sealing import Sealer

LAWFUL_BASIS = "GDPR Articles 13(2)(f), 14(2)(g), 22(3)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDecision:
    """One decision as it stands now. `subject` is for the services; no page and no answer shows it.

    `contests` are the disputes that bear on it, open and decided.
    """

    decision_id: str
    organisation: str
    rule: str
    reference: str
    state: DecisionState
    automated: bool
    effect_on: date
    announced_at: datetime
    changed_at: datetime | None
    settled_at: datetime | None
    grounds: tuple[ShownGround, ...]
    subject: PersonalCode = field(repr=False)
    human_reason: str | None = field(repr=False)
    first_entry: int
    last_entry: int

    contests: tuple[Contest, ...] = ()

    @property
    def contested_since(self) -> datetime | None:
        """Since when the person contests it or what it rests on; None once all of that is decided."""
        if self.state is not DecisionState.INTENDED:
            return None
        since = [shown.contested_since for shown in self.grounds]
        since += [one.opened_at for one in self.contests if one.is_open and one.names_it]
        return min((moment for moment in since if moment is not None), default=None)

    @property
    def is_found_wrong(self) -> bool:
        """Whether the person was found right about it, or about a value it still rests on."""
        if any(shown.wrong_since is not None for shown in self.grounds):
            return True
        if self.state is not DecisionState.INTENDED:
            return False
        told = self.changed_at or self.announced_at
        about_it = [one for one in self.contests if one.names_it and one.kind is DisputeKind.DECISION]
        return any(one.person_was_right and one.closed_at is not None and one.closed_at >= told for one in about_it)


class DecisionRegister:
    """Reads rows and writes what the log says of them. It opens no session of its own."""

    def __init__(self, sealer: Sealer, standings: Standings) -> None:
        self._sealer = sealer
        self.standings = standings

    def index_of(self, subject: PersonalCode) -> bytes:
        return self._sealer.blind_index(subject.subject, "decisions/subject")

    def digest_of(self, request: str) -> bytes:
        return self._sealer.blind_index(request, "decisions/request")

    def seal(self, text: str, decision_id: str, part: str) -> bytes:
        return self._sealer.seal(text, f"{decision_id}/{part}")

    def seal_grounds(self, grounds: tuple[Ground, ...], decision_id: str) -> bytes:
        return self.seal(grounds_to_json(grounds), decision_id, "grounds")

    def of_organisation(self, session: Session, organisation: str, decision_id: str) -> AnnouncedDecision | None:
        wanted = select(AnnouncedDecision).where(
            AnnouncedDecision.id == decision_id, AnnouncedDecision.organisation == organisation
        )
        return session.scalars(wanted).one_or_none()

    def shown(self, row: AnnouncedDecision) -> ShownDecision:
        subject = PersonalCode.parse(self._sealer.unseal(row.sealed_subject, f"{row.id}/subject"))
        grounds = grounds_from_json(self._sealer.unseal(row.sealed_grounds, f"{row.id}/grounds"))
        contests = self.standings.contests(subject, row.id, grounds)
        is_intended = row.state == DecisionState.INTENDED
        reason = None if row.sealed_reason is None else self._sealer.unseal(row.sealed_reason, f"{row.id}/reason")
        return ShownDecision(
            decision_id=row.id,
            organisation=row.organisation,
            rule=row.rule,
            reference=row.reference,
            state=DecisionState(row.state),
            automated=row.automated,
            effect_on=row.effect_on,
            announced_at=row.announced_at,
            changed_at=row.changed_at,
            settled_at=row.settled_at,
            grounds=self.standings.of(subject, grounds, contests, is_intended=is_intended),
            subject=subject,
            human_reason=reason,
            first_entry=row.first_entry,
            last_entry=row.last_entry,
            contests=tuple(one for one in contests if one.names_it or one.is_open or one.opened_at >= row.announced_at),
        )


def event(
    action: Action,
    decision: ShownDecision,
    at: datetime,
    request_id: str,
    *,
    human: HumanDecision | None = None,
    refused: Reason | None = None,
) -> Access:
    """A step of a decision as the log has it: codes, dates and counts; the human's reason where there is one."""
    contested = sum(shown.contested_since is not None for shown in decision.grounds)
    return Access(
        action=action,
        outcome=Outcome.DONE if refused is None else Outcome.DENIED,
        reason=refused,
        source=PORTAL_SOURCE,
        occurred_at=at,
        subject=decision.subject.subject,
        organisation=decision.organisation,
        official=None if human is None else human.official,
        lawful_basis=LAWFUL_BASIS,
        case=decision.reference,
        justification=None if human is None else human.reason,
        request_id=request_id,
        automatic=human is None,
        details={
            "decision": decision.decision_id,
            "rule": decision.rule,
            "effect": decision.effect_on.isoformat(),
            "grounds": len(decision.grounds),
            "contested": contested,
        },
    )
