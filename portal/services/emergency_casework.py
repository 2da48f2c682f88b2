"""Opening a record in an emergency: those responsible and the person are told first, then the gate opens."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.purposes import EMERGENCY
from portal.registries.catalogue import Catalogue, Registry
from portal.registries.records import Record
from portal.services.alerts import AlertKind, Alerts
from portal.services.attention import Attention
from portal.services.disclosure import Gate, Grant
from portal.services.emergencies import Declaration, Emergencies, ShownEmergency


@dataclass(frozen=True, slots=True)
class EmergencyPart:
    """What one registry holds, all fields; `records` is None when it gave no answer."""

    registry: Registry
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)


class EmergencyCasework:
    """What an official with the right to break the glass does."""

    def __init__(
        self, emergencies: Emergencies, gate: Gate, catalogue: Catalogue, alerts: Alerts, attention: Attention
    ) -> None:
        self._emergencies = emergencies
        self._gate = gate
        self._catalogue = catalogue
        self._alerts = alerts
        self._attention = attention

    def declare(self, actor: Actor, wanted: Declaration, *, request_id: str) -> str:
        """Declare an emergency and tell the supervisors, the data protection officer and the person. Gives its id.

        Raises as `Emergencies.declare`.
        """
        emergency_id = self._emergencies.declare(actor, wanted, request_id=request_id)
        self._attention.of_an_emergency(actor.organisation, AlertKind.EMERGENCY_OPENED, emergency_id)
        self._alerts.tell_person(wanted.subject, AlertKind.EMERGENCY_ON_YOU, emergency_id)
        return emergency_id

    def open_record(self, actor: Actor, emergency_id: str, *, request_id: str) -> tuple[EmergencyPart, ...]:
        """Everything that the registries of this emergency hold on its person, for as long as it lasts.

        Raises:
            NothingHere: there is no such emergency of this actor's, or the right was taken back.
            AccessDenied: its time is over; the attempt is an entry.
            DisclosureUnavailable: the log could not record it; nothing was released.
        """
        emergency = self._emergencies.emergency(actor, emergency_id)
        if not self._emergencies.may_declare(actor):
            raise NothingHere
        registries = [self._catalogue.registries[code] for code in emergency.registries]
        if not emergency.is_open:
            grants = [self._grant(actor, emergency, registry, (), request_id) for registry in registries]
            raise AccessDenied(Reason.EMERGENCY_OVER, self._gate.refuse(grants, Reason.EMERGENCY_OVER))
        grants = [
            self._grant(actor, emergency, registry, tuple(registry.fields), request_id) for registry in registries
        ]
        self._emergencies.count_look(emergency_id)
        return tuple(
            EmergencyPart(self._catalogue.registries[part.registry], part.entry, part.records)
            for part in self._gate.disclose(grants)
        )

    def remind(self) -> None:
        """Tell those responsible, once, of each review that is overdue."""
        for emergency_id, organisation in self._emergencies.overdue():
            self._attention.of_an_emergency(organisation, AlertKind.EMERGENCY_OVERDUE, emergency_id)

    def _grant(
        self, actor: Actor, emergency: ShownEmergency, registry: Registry, fields: tuple[str, ...], request_id: str
    ) -> Grant:
        return Grant(
            actor=actor,
            action=Action.READ,
            subject=emergency.subject,
            registry=registry.code,
            fields=fields,
            purpose=EMERGENCY,
            lawful_basis=self._catalogue.purposes[EMERGENCY].lawful_basis.en,
            request_id=request_id,
            justification=emergency.reason,
            details={"emergency": emergency.emergency_id},
        )
