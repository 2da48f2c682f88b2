"""Recipients use what they were given: through the gate, field by field, and never a moment longer.

The register's row stays locked from the question "does it hold?" until the gate has the entry. So an end that has been
acknowledged lies before every later use in the log, and a consent for one use gives once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import or_, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Action, Reason
from portal.domain.consents import ConsentNotInForce, ConsentState, Notice
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem, Operation
from portal.domain.marks import Mark, Marks
from portal.models.consents import Consent
from portal.services.clock import Clock
from portal.services.consents.register import Register, ShownConsent
from portal.services.consents.terms import Terms
from portal.services.disclosure import Disclosure, Gate, Grant
from portal.services.machines import Admitted


@dataclass(frozen=True, slots=True)
class Used:
    """What a recipient got: one disclosure for each registry, each with the entry that says so, and what of it is
    contested or restricted."""

    consent_id: str
    disclosures: tuple[Disclosure, ...]
    marks: tuple[Mark, ...]


class ConsentUses:
    """Hands over what a consent covers while it holds."""

    def __init__(
        self, sessions: sessionmaker[Session], register: Register, terms: Terms, gate: Gate, marks: Marks, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._register = register
        self._terms = terms
        self._gate = gate
        self._clock = clock
        self._marks = marks

    def use(
        self,
        admitted: Admitted,
        consent_id: str,
        wanted: Mapping[str, tuple[str, ...]] | None,
        *,
        request_id: str,
    ) -> Used:
        """What `wanted` names, or all that the consent covers. A use counts when a registry answered.

        Raises:
            NothingHere: the recipient asked for no such consent.
            ClientRefused: its token is not for one of the registries.
            ConsentNotInForce: the consent does not hold, or covers less. That is an entry in the person's history.
            DisclosureUnavailable: the log could not record it; nothing is released and the use does not count.
        """
        consent = self._known(admitted.client, consent_id)
        fields = dict(consent.notice.fields if wanted is None else wanted)
        for registry in fields:
            admitted.require(Operation.USE_CONSENT, registry)
        grants = _grants(admitted.client, consent, fields, request_id)
        if not self._covers(admitted.client, consent.notice, fields):
            self._gate.refuse(grants, Reason.BEYOND_CONSENT)
            raise ConsentNotInForce
        disclosures = self._used(consent_id, grants)
        if disclosures is None:
            self._gate.refuse(grants, Reason.CONSENT_NOT_IN_FORCE)
            raise ConsentNotInForce
        concerned = [mark for mark in self._marks.of(consent.subject) if _is_among(mark, fields)]
        return Used(consent_id, tuple(disclosures), tuple(concerned))

    def _known(self, client: ClientSystem, consent_id: str) -> ShownConsent:
        with self._sessions() as session:
            row = self._register.of_client(session, client, consent_id)
            if row is None:
                raise NothingHere
            return self._register.shown(row, self._clock())

    def _covers(self, client: ClientSystem, notice: Notice, fields: Mapping[str, tuple[str, ...]]) -> bool:
        given = notice.fields
        is_inside = all(set(codes) <= set(given.get(registry, ())) for registry, codes in fields.items())
        return is_inside and self._terms.still_permits(client, notice, fields)

    def _used(self, consent_id: str, grants: list[Grant]) -> list[Disclosure] | None:
        """The disclosures, or None when the consent does not hold at this very moment."""
        now = self._clock()
        with self._sessions() as session:
            held = session.execute(
                update(Consent)
                .where(
                    Consent.id == consent_id,
                    Consent.state == ConsentState.GIVEN,
                    Consent.ends_at > now,
                    or_(Consent.continuing, Consent.uses == 0),
                )
                .values(uses=Consent.uses + 1, last_used_at=now)
                .returning(Consent.continuing)
                .execution_options(synchronize_session=False)
            ).first()
            if held is None:
                return None
            disclosures = self._gate.disclose(grants)
            if all(disclosure.records is None for disclosure in disclosures):
                session.rollback()  # no registry answered: the use was none
                return disclosures
            if not held.continuing:
                session.execute(update(Consent).where(Consent.id == consent_id).values(state=ConsentState.USED))
            session.commit()
            return disclosures


def _is_among(mark: Mark, fields: Mapping[str, tuple[str, ...]]) -> bool:
    codes = fields.get(mark.registry, ())
    return bool(codes) and (mark.field is None or mark.field in codes)


def _grants(
    client: ClientSystem, consent: ShownConsent, fields: Mapping[str, tuple[str, ...]], request_id: str
) -> list[Grant]:
    subject: PersonalCode = consent.subject
    purpose = consent.notice.purpose
    return [
        Grant(
            actor=client,
            action=Action.CONSENT_USE,
            subject=subject,
            registry=registry,
            fields=codes,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
            details={"consent": consent.consent_id},
            is_automatic=True,
        )
        for registry, codes in fields.items()
    ]
