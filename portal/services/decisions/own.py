"""The person's side: what is decided about them, on what it rests, and contesting it before it takes effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select

from audit.receipt import Receipt
from portal.domain.actors import Actor
from portal.domain.attachments import Upload
from portal.domain.disputes import DisputeKind
from portal.domain.errors import NothingHere
from portal.domain.intended_decisions import DecisionSettled, DecisionState
from portal.models.decisions import AnnouncedDecision
from portal.services.decisions.register import DecisionRegister, ShownDecision
from portal.services.disputes.citizens import Complaint, Contested, Disputes
from portal.services.records import subject_of
from portal.services.safeguards import Foundations

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Objection:
    """What the person says against a decision. `ground` names the wrong value ("registry/field"), None the decision."""

    ground: str | None
    text: str = field(repr=False)


class OwnDecisions:
    """The decisions about the actor. No method takes another person."""

    def __init__(self, on: Foundations, register: DecisionRegister, disputes: Disputes) -> None:
        self._on = on
        self._register = register
        self._disputes = disputes

    def all(self, actor: Actor) -> list[ShownDecision]:
        """What takes effect last comes first."""
        with self._on.sessions() as session:
            rows = list(session.scalars(self._own(actor).order_by(AnnouncedDecision.effect_on.desc()).limit(SHOWN)))
        return [self._register.shown(row) for row in rows]

    def one(self, actor: Actor, decision_id: str) -> ShownDecision:
        """Raises NothingHere when no decision about this person has this id."""
        with self._on.sessions() as session:
            row = session.scalars(self._own(actor).where(AnnouncedDecision.id == decision_id)).one_or_none()
        if row is None:
            raise NothingHere
        return self._register.shown(row)

    def contest(
        self, actor: Actor, decision_id: str, objection: Objection, *, request_id: str, files: Sequence[Upload] = ()
    ) -> str:
        """Open a dispute that names the decision; gives the dispute's id.

        About a value, whoever holds it answers, and everybody who opens it sees that it is contested. About the
        decision itself, whoever decides answers. Either way the decision cannot become final without a human.

        Raises:
            NothingHere: no such decision about this person, or it does not rest on this value.
            DecisionSettled: it is withdrawn or final; there is nothing left to hold back.
            FilesRefused, FilesNotTakenNow: the files are not taken; nothing was opened.
            DisclosureUnavailable: the log could not record it; nothing was opened.
        """
        decision = self.one(actor, decision_id)
        if decision.state is not DecisionState.INTENDED:
            raise DecisionSettled
        attached = Contested(decision.decision_id, decision.organisation)
        if objection.ground is None:
            complaint = Complaint(kind=DisputeKind.DECISION, text=objection.text, decision=attached)
        else:
            ground = next((one.ground for one in decision.grounds if one.ground.name == objection.ground), None)
            if ground is None:
                raise NothingHere
            complaint = Complaint(
                kind=DisputeKind.RECTIFICATION,
                text=objection.text,
                registry=ground.registry,
                field=ground.field,
                decision=attached,
            )
        return self._disputes.open(actor, complaint, request_id=request_id, files=files)

    def receipt(self, actor: Actor, decision_id: str) -> Receipt:
        """The proof that the latest step stands in the log. Raises NothingHere as `one`."""
        return self._on.log.receipt(self.one(actor, decision_id).last_entry, for_subject=True)

    def _own(self, actor: Actor) -> Select[AnnouncedDecision]:
        index = self._register.index_of(subject_of(actor))
        return select(AnnouncedDecision).where(AnnouncedDecision.subject_index == index)
