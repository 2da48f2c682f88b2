"""Opening a record under a seal. The seal settles whom, for which purpose and in which case; the policy still rules."""

from __future__ import annotations

from collections.abc import Sequence

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import AccessDenied
from portal.domain.purposes import Purpose
from portal.services.alerts import AlertKind
from portal.services.attention import Attention
from portal.services.casework import Casework, OpenedRecord
from portal.services.circumstances import Opening
from portal.services.disclosure import Gate, Grant
from portal.services.policy import Decision
from portal.services.seals import SealOrder, Seals, ShownSeal


class SealedCasework:
    """What a caseworker does with seals."""

    def __init__(self, seals: Seals, casework: Casework, gate: Gate, attention: Attention) -> None:
        self._seals = seals
        self._casework = casework
        self._gate = gate
        self._attention = attention

    def purposes(self, actor: Actor) -> tuple[Purpose, ...]:
        """The purposes that the actor may state and for which the law knows a seal."""
        return tuple(purpose for purpose in self._casework.purposes(actor) if purpose.sealing is not None)

    def register(self, actor: Actor, order: SealOrder, *, request_id: str) -> str:
        """Put the order into force and tell the supervisors. Gives the seal's id.

        Raises:
            NothingHere: the purpose is not the actor's.
            SealRefused, DisclosureUnavailable: as for `Seals.register`.
        """
        purpose = self._casework.purpose(actor, order.purpose)
        seal_id = self._seals.register(actor, purpose, order, request_id=request_id)
        self._attention.of_supervisors(actor.organisation, AlertKind.SEAL_REGISTERED, seal_id)
        return seal_id

    def offers(self, actor: Actor, seal: ShownSeal) -> Sequence[Decision]:
        return self._casework.offers(actor, self._casework.purpose(actor, seal.purpose))

    def open_record(
        self, actor: Actor, seal_id: str, registries: tuple[str, ...], justification: str, *, request_id: str
    ) -> OpenedRecord:
        """Disclose what the seal's purpose permits on the seal's subject, withheld from them until it ends.

        Raises:
            NothingHere: there is no such seal of this actor's.
            AccessDenied: it has ended or is about to, or the policy refused; the refusal is an entry.
            JustificationRefused, DisclosureUnavailable: as for `Casework.open_record`.
        """
        seal = self._seals.seal(actor, seal_id)
        if not seal.takes_accesses:
            raise AccessDenied(Reason.SEAL_NOT_VALID, self._refused(actor, seal, registries, request_id))
        opening = Opening(
            subject=seal.subject,
            purpose=seal.purpose,
            registries=registries,
            case=seal.case,
            justification=justification,
            seal=seal.seal_id,
        )
        return self._casework.open_record(actor, opening, request_id=request_id)

    def _refused(self, actor: Actor, seal: ShownSeal, registries: tuple[str, ...], request_id: str) -> int:
        """Once the seal has ended, the attempt is in the person's history at once; in its last minutes it is not."""
        purpose = self._casework.purpose(actor, seal.purpose)
        asked = [registry for registry in purpose.permits if registry in registries] or list(purpose.permits)[:1]
        grants = [
            Grant(
                actor=actor,
                action=Action.READ,
                subject=seal.subject,
                registry=registry,
                fields=(),
                purpose=purpose.code,
                lawful_basis=purpose.lawful_basis.en,
                request_id=request_id,
                case=seal.case,
                seal=seal.seal_id if seal.is_in_force else None,
            )
            for registry in asked
        ]
        return self._gate.refuse(grants, Reason.SEAL_NOT_VALID)
