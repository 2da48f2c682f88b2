"""Asking a second person, and opening once what they approved. The policy rules before and after."""

from __future__ import annotations

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.decisions import CaseStanding, Facts, Relation
from portal.domain.errors import AccessDenied, DisclosureUnavailable, NothingHere
from portal.domain.purposes import Purpose
from portal.services.alerts import AlertKind
from portal.services.approvals import Approvals, ShownApproval
from portal.services.attention import Attention
from portal.services.casework import EVIDENCE_LENGTH, Casework, JustificationRefused, OpenedRecord
from portal.services.circumstances import Approved, Opening
from portal.services.disclosure import Gate, Grant
from portal.services.justification import tidied, weakness_of
from portal.services.policy import Policy


class FourEyes:
    """What the one who asks and the one who decides do."""

    def __init__(
        self, policy: Policy, casework: Casework, gate: Gate, approvals: Approvals, attention: Attention
    ) -> None:
        self._policy = policy
        self._casework = casework
        self._gate = gate
        self._approvals = approvals
        self._attention = attention

    def ask(self, actor: Actor, opening: Opening, *, request_id: str) -> str:
        """Ask for what the purpose would give with an approval, and tell the supervisors. Gives the request's id.

        Raises:
            NothingHere: no such purpose or registry, or it is not the actor's.
            AccessDenied: no approval would open it; the refusal is an entry.
            JustificationRefused: the reason says nothing; the refusal is an entry.
            DisclosureUnavailable: the log could not record it; nothing was asked.
        """
        purpose = self._casework.purpose(actor, opening.purpose)
        wanted = tuple(dict.fromkeys(opening.registries))
        if not self._policy.knows_registries(wanted):
            raise NothingHere
        facts = Facts(
            case=CaseStanding.STATED if opening.case else CaseStanding.NONE,
            relation=Relation.OWN if actor.personal_code == opening.subject else Relation.NONE,
            approved=True,
        )
        decisions = {registry: self._policy.decide(actor, purpose, registry, facts) for registry in wanted}
        refusal = next((decision.refusal for decision in decisions.values() if decision.refusal is not None), None)
        grants = [self._evidence(actor, purpose, opening, registry, request_id) for registry in wanted]
        if refusal is not None:
            raise AccessDenied(refusal, self._gate.refuse(grants, refusal))
        if weakness := weakness_of(opening.justification):
            raise JustificationRefused(weakness, self._gate.refuse(grants, Reason.JUSTIFICATION))
        approval_id = self._approvals.ask(
            actor,
            purpose,
            opening.subject,
            [f"{registry}/{code}" for registry, decision in decisions.items() for code in decision.codes],
            case=opening.case,
            justification=tidied(opening.justification),
            request_id=request_id,
        )
        self._attention.of_supervisors(actor.organisation, AlertKind.APPROVAL_ASKED, approval_id)
        return approval_id

    def decide(self, actor: Actor, approval_id: str, *, approve: bool, request_id: str) -> None:
        """Approve or refuse, and tell who asked. Raises as `Approvals.decide`."""
        asker = self._approvals.decide(actor, approval_id, approve=approve, request_id=request_id)
        self._attention.of_account(asker, AlertKind.APPROVAL_DECIDED, approval_id)

    def open_record(self, actor: Actor, approval_id: str, *, request_id: str) -> OpenedRecord:
        """Open exactly what was approved, once.

        Raises:
            NothingHere: there is no such approval of this actor's.
            AccessDenied: it is not approved, was used or has expired, or the policy refuses; the refusal is an entry.
            DisclosureUnavailable: the log could not record it; nothing was released and the approval stands.
        """
        taken = self._approvals.take(actor, approval_id)
        if taken is None:
            own = self._approvals.own(actor, approval_id)
            raise AccessDenied(Reason.APPROVAL_NOT_VALID, self._not_valid(actor, own, request_id))
        opening = _opening(taken)
        try:
            return self._casework.open_record(actor, opening, request_id=request_id)
        except DisclosureUnavailable:
            self._approvals.give_back(approval_id)
            raise

    def _not_valid(self, actor: Actor, own: ShownApproval, request_id: str) -> int:
        purpose = self._casework.purpose(actor, own.purpose)
        grants = [self._evidence(actor, purpose, _opening(own), registry, request_id) for registry in own.registries]
        return self._gate.refuse(grants, Reason.APPROVAL_NOT_VALID)

    def _evidence(self, actor: Actor, purpose: Purpose, opening: Opening, registry: str, request_id: str) -> Grant:
        """A look that is refused: it names no field and keeps the beginning of the reason given."""
        return Grant(
            actor=actor,
            action=Action.READ,
            subject=opening.subject,
            registry=registry,
            fields=(),
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
            case=opening.case,
            on_behalf_of=self._policy.principal_of(actor),
            justification=tidied(opening.justification)[:EVIDENCE_LENGTH] or None,
        )


def _opening(approval: ShownApproval) -> Opening:
    return Opening(
        subject=approval.subject,
        purpose=approval.purpose,
        registries=approval.registries,
        case=approval.case,
        justification=approval.justification,
        approval=Approved(approval.approval_id, approval.decided_by or "", frozenset(approval.fields)),
    )
