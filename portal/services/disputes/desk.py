"""The controller's side: the data protection officer's queue, answers, the clock, and the decision with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select

from audit.entry import Access
from portal.domain.actions import Action
from portal.domain.actors import Actor, Duty
from portal.domain.attachments import Upload
from portal.domain.deadlines import EXTENDED_MONTHS, FIRST_ANSWER_MONTHS, deadline
from portal.domain.disputes import GROUNDS, DisputeKind, DisputeState, Ground, Ruling, WithholdingReason, needs_ground
from portal.domain.errors import NothingHere, PortalError
from portal.domain.redaction import read_marks
from portal.models.disputes import Dispute
from portal.services.alerts import AlertKind, Alerts
from portal.services.disputes.corrections import Corrections
from portal.services.disputes.ledger import DisputeLedger, ShownDispute, StepRefused, Written
from portal.services.disputes.marking import Marking
from portal.services.oversight import Oversight

_SHOWN = 200
_RIGHT = frozenset({Ruling.UPHELD, Ruling.PARTLY})
#: What has to be communicated to each recipient (Article 19).
_CORRECTS = frozenset({DisputeKind.RECTIFICATION, DisputeKind.ERASURE, DisputeKind.RESTRICTION})


@dataclass(frozen=True, slots=True)
class Enclosed:
    """The files of a step; `withheld` says why the person is not given them for now."""

    files: Sequence[Upload] = ()
    withheld: WithholdingReason | None = None


NOTHING_ENCLOSED = Enclosed()


class GroundUnfit(PortalError):
    """A refusal has no ground in law, or one on which this request cannot be refused."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    ruling: Ruling
    ground: Ground | None

    def ground_for(self, kind: DisputeKind) -> Ground | None:
        """What is kept as the ground. Raises GroundUnfit."""
        if not needs_ground(self.ruling):
            return None
        if self.ground not in GROUNDS[kind]:
            raise GroundUnfit
        return self.ground


class DisputeDesk:
    """Disputes of one organisation, for its data protection officers alone.

    Whoever made the look that is contested does not handle the dispute, and sees nothing of it here.
    """

    def __init__(
        self,
        ledger: DisputeLedger,
        oversight: Oversight,
        alerts: Alerts,
        marking: Marking,
        corrections: Corrections,
    ) -> None:
        self._ledger = ledger
        self._oversight = oversight
        self._alerts = alerts
        self._marking = marking
        self._corrections = corrections

    def has_duty(self, actor: Actor) -> bool:
        return Duty.DATA_PROTECTION in actor.duties and actor.organisation is not None

    def queue(self, actor: Actor) -> list[ShownDispute]:
        """Open disputes, the one that is due first at the top, then the newest that are closed. Raises NothingHere."""
        is_open = Dispute.state == DisputeState.OPEN
        with self._ledger.reading() as session:
            waiting = session.scalars(self._of(actor).where(is_open).order_by(Dispute.due_on, Dispute.opened_at)).all()
            closed = session.scalars(
                self._of(actor).where(~is_open).order_by(Dispute.closed_at.desc()).limit(_SHOWN)
            ).all()
            rows = [row for row in (*waiting, *closed) if not self._is_of_own_look(actor, row)]
            return [self._ledger.shown(session, row, with_messages=False) for row in rows]

    def one(self, actor: Actor, dispute_id: str) -> ShownDispute:
        """Raises NothingHere where there is none that this officer may handle."""
        with self._ledger.reading() as session:
            row = self._handled(actor, session.scalar(self._of(actor).where(Dispute.id == dispute_id)))
            return self._ledger.shown(session, row, with_messages=True, whole=True)

    def contested(self, actor: Actor, dispute_id: str, *, request_id: str) -> Access | None:
        """What the contested entry says, to judge it by; None where none is contested, or it was erased.

        Reading it is an entry of its own, about the same person.

        Raises NothingHere, DisclosureUnavailable.
        """
        with self._ledger.reading() as session:
            row = self._handled(actor, session.scalar(self._of(actor).where(Dispute.id == dispute_id)))
            if row.entry is None:
                return None
            access = self._oversight.numbered(row.entry).access
            details: dict[str, str | int] = {"dispute": row.number, "refers-to": row.entry}
            subject = self._ledger.subject_of(row).subject
        self._oversight.note([self._oversight.event(actor, Action.DISPUTE_LOOK, request_id, subject, details)])
        return access

    def answer(
        self, actor: Actor, dispute_id: str, text: str, *, request_id: str, enclosed: Enclosed = NOTHING_ENCLOSED
    ) -> None:
        """Write to the person.

        Passages between marks (`portal/domain/redaction.py`) are withheld from the person, as in every step.

        Raises NothingHere, StepRefused, MarkFaulty, FilesRefused, FilesNotTakenNow, DisclosureUnavailable.
        """
        self._take_step(actor, dispute_id, Action.DISPUTE_ANSWER, text, request_id, enclosed)

    def extend(
        self, actor: Actor, dispute_id: str, reasons: str, *, request_id: str, enclosed: Enclosed = NOTHING_ENCLOSED
    ) -> None:
        """Extend the month by two, once, within it, with the reasons told to the person (Article 12(3)).

        Raises NothingHere, StepRefused, DisclosureUnavailable.
        """
        self._take_step(actor, dispute_id, Action.DISPUTE_EXTENSION, reasons, request_id, enclosed)

    def pause(
        self, actor: Actor, dispute_id: str, reasons: str, *, request_id: str, enclosed: Enclosed = NOTHING_ENCLOSED
    ) -> None:
        """Stop the clock for an identity check (Article 12(6)). Raises as `extend`."""
        self._take_step(actor, dispute_id, Action.DISPUTE_PAUSE, reasons, request_id, enclosed)

    def resume(
        self, actor: Actor, dispute_id: str, text: str, *, request_id: str, enclosed: Enclosed = NOTHING_ENCLOSED
    ) -> None:
        """Let the clock go on; the days that it stood are added. Raises as `extend`."""
        self._take_step(actor, dispute_id, Action.DISPUTE_RESUMPTION, text, request_id, enclosed)

    def decide(
        self,
        actor: Actor,
        dispute_id: str,
        ruling: Ruling,
        reasons: str,
        *,
        request_id: str,
        ground: Ground | None = None,
        enclosed: Enclosed = NOTHING_ENCLOSED,
    ) -> None:
        """Decide, with reasons, and with the ground in law where something is refused (Article 12(4)).

        Raises:
            GroundUnfit: a refusal has no ground, or one on which this cannot be refused; nothing was decided.
            NothingHere, StepRefused, MarkFaulty, FilesRefused, FilesNotTakenNow, DisclosureUnavailable.
        """
        verdict = _Verdict(ruling, ground)
        self._take_step(actor, dispute_id, Action.DISPUTE_DECISION, reasons, request_id, enclosed, verdict)

    def _take_step(
        self,
        actor: Actor,
        dispute_id: str,
        action: Action,
        text: str,
        request_id: str,
        enclosed: Enclosed,
        verdict: _Verdict | None = None,
    ) -> None:
        wanted = self._of(actor).where(Dispute.id == dispute_id)
        plain, spans = read_marks(text)
        with self._ledger.reading() as session:
            seen = self._ledger.unlocked_row(self._handled(actor, session.scalar(wanted)))
        with self._ledger.receiving(seen, enclosed.files, actor, request_id) as kept, self._ledger.step() as session:
            row = self._ledger.open_row(session, self._handled(actor, session.scalar(wanted)))
            self._move(row, action, verdict)
            entry = self._ledger.write(
                session, row, action, actor, Written(plain, kept, spans, enclosed.withheld), request_id
            )
            subject, registry, field = self._ledger.subject_of(row), row.registry_code, row.field_code or None
            kind = DisputeKind(row.kind)
        ruling = None if verdict is None else verdict.ruling
        if ruling is not None:
            self._marking.note(subject, registry, field)
        if ruling in _RIGHT and kind in _CORRECTS:
            self._corrections.tell_recipients(dispute_id, subject, request_id=request_id)
        self._alerts.tell_person(subject, AlertKind.DISPUTE_STEP, f"{dispute_id}/{entry}")

    def _move(self, row: Dispute, action: Action, verdict: _Verdict | None) -> None:
        """What the step changes. Raises StepRefused where it does not fit how the dispute stands."""
        today = self._ledger.today()
        if action is Action.DISPUTE_EXTENSION:
            if row.extended_at is not None or row.paused_on is not None or today > row.due_on:
                raise StepRefused("extended once already, paused, or the first month is over")
            received = self._ledger.day_of(row.opened_at)
            stood = row.due_on - deadline(received, FIRST_ANSWER_MONTHS)
            row.extended_at, row.due_on = self._ledger.now(), deadline(received, EXTENDED_MONTHS) + stood
        elif action is Action.DISPUTE_PAUSE:
            if row.paused_on is not None:
                raise StepRefused("paused already")
            row.paused_on = today
        elif action is Action.DISPUTE_RESUMPTION:
            if row.paused_on is None:
                raise StepRefused("not paused")
            row.due_on, row.paused_on = row.due_on + max(timedelta(), today - row.paused_on), None
        elif verdict is not None:
            row.ruling, row.ground = verdict.ruling, verdict.ground_for(DisputeKind(row.kind))
            row.state, row.closed_at, row.paused_on = DisputeState.DECIDED, self._ledger.now(), None

    def _of(self, actor: Actor) -> Select[Dispute]:
        if not self.has_duty(actor):
            raise NothingHere
        return select(Dispute).where(Dispute.organisation == actor.organisation)

    def _handled(self, actor: Actor, row: Dispute | None) -> Dispute:
        if row is None or self._is_of_own_look(actor, row):
            raise NothingHere
        return row

    def _is_of_own_look(self, actor: Actor, row: Dispute) -> bool:
        if self._ledger.subject_of(row) == actor.personal_code:
            return True
        if row.entry is None:
            return False
        access = self._oversight.numbered(row.entry).access
        return access is not None and access.official == actor.account_id
