"""Accesses that registries' own systems report: looks that did not come through the portal, in the same log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.entry import Access
from audit.errors import IdempotencyConflict, LogFrozen, LogOverloaded, LogUnavailable
from audit.log import AuditLog
from portal.domain.actions import Action, Outcome
from portal.domain.errors import DisclosureUnavailable, PortalError
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem, Operation
from portal.domain.purposes import Purpose
from portal.domain.references import is_plain_reference
from portal.registries.catalogue import Catalogue
from portal.services.clock import Clock
from portal.services.machines import Admitted
from portal.services.sealing import References

#: How far a reporting system's clock may be ahead of ours.
SKEW = timedelta(minutes=5)
#: What a system may call its own report. It stands in the entry as the request's id.
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._~-]{8,128}")
ACTIONS = {"read": Action.READ, "automated-read": Action.AUTOMATED_READ}
OUTCOMES = {"released": Outcome.RELEASED, "denied": Outcome.DENIED, "failed": Outcome.FAILED}


class ReportRefused(PortalError):
    """The report says what cannot be. Nothing was logged; `mistakes` names each field and what is wrong with it."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(mistakes)))
        self.mistakes = mistakes


class KeyTaken(PortalError):
    """The idempotency key stands for another report of the same system. Nothing was logged."""


@dataclass(frozen=True, slots=True)
class Report:
    """One access as the registry's own system tells it. Codes are those of the catalogue; `official` is a pseudonym."""

    registry: str
    subject: PersonalCode
    occurred_at: datetime
    action: str
    outcome: str
    organisation: str
    purpose: str
    fields: tuple[str, ...]
    official: str | None
    case: str | None
    justification: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """Where the report stands. `reference` opens for the system that reported and for nobody else."""

    reference: str
    logged_at: datetime


class Reports:
    """Takes reports into the log, and gives the proof that they are there."""

    def __init__(self, log: AuditLog, catalogue: Catalogue, references: References, clock: Clock) -> None:
        self._log = log
        self._catalogue = catalogue
        self._references = references
        self._clock = clock

    def report(self, admitted: Admitted, report: Report, key: str) -> Reported:
        """Log one access. The same `key` with the same report gives the first answer again.

        Raises:
            ClientRefused: the system's token is not for this registry.
            ReportRefused: the report contradicts the catalogue or the calendar.
            KeyTaken: the key stands for another report.
            DisclosureUnavailable: it could not be logged; send it again with the same key.
        """
        admitted.require(Operation.REPORT_ACCESS, report.registry)
        if mistakes := self._mistakes(report, key):
            raise ReportRefused(mistakes)
        access = self._access(admitted.client, report, key)
        try:
            logged = self._log.append(access, idempotency_key=key)
        except IdempotencyConflict:
            raise KeyTaken from None
        except (LogUnavailable, LogOverloaded, LogFrozen) as error:
            raise DisclosureUnavailable from error
        return Reported(self._references.to_entry(logged.seq, _holder(admitted.client)), logged.logged_at)

    def receipt(self, admitted: Admitted, reference: str) -> tuple[datetime, str]:
        """When the report was logged, and its receipt as text. Raises NothingHere for what this system did not report,
        and ClientRefused when the token is not for reading this registry's."""
        seq = self._references.entry(reference, _holder(admitted.client))
        logged = self._log.entry(seq)
        if logged.access is not None:
            admitted.require(Operation.READ_RECEIPT, logged.access.registry or "")
        return logged.logged_at, self._log.receipt(seq).text

    def _mistakes(self, report: Report, key: str) -> dict[str, str]:
        registry = self._catalogue.registries.get(report.registry)
        purpose = self._catalogue.purposes.get(report.purpose)
        checks = {
            "Idempotency-Key": IDEMPOTENCY_KEY.fullmatch(key) is None and "8 to 128 letters, digits and . _ ~ -",
            "registry": registry is None and "there is no such registry",
            "purpose": purpose is None and "there is no such purpose",
            "organisation": report.organisation not in self._catalogue.organisations and "no such organisation",
            "action": report.action not in ACTIONS and f"one of {', '.join(ACTIONS)}",
            "outcome": report.outcome not in OUTCOMES and f"one of {', '.join(OUTCOMES)}",
            "occurred_at": report.occurred_at > self._clock() + SKEW and "lies in the future",
            "fields": not _are_of(report.fields, registry.fields if registry else {}) and "not all of this registry",
            "case": _mistake_in_case(purpose, report.case),
        }
        return {name: str(mistake) for name, mistake in checks.items() if mistake}

    def _access(self, client: ClientSystem, report: Report, key: str) -> Access:
        purpose = self._catalogue.purposes[report.purpose]
        return Access(
            action=ACTIONS[report.action],
            outcome=OUTCOMES[report.outcome],
            source=client.code,
            occurred_at=report.occurred_at,
            subject=report.subject.subject,
            organisation=report.organisation,
            official=report.official,
            registry=report.registry,
            fields=report.fields,
            purpose=report.purpose,
            lawful_basis=purpose.lawful_basis.en,
            case=report.case,
            justification=report.justification,
            request_id=key,  # the same at each attempt: a body that differed would be another report
            automatic=report.action == "automated-read",
        )


def _mistake_in_case(purpose: Purpose | None, case: str | None) -> str | None:
    if not case:
        return "this purpose needs a case" if purpose is not None and purpose.case_required else None
    return None if is_plain_reference(case) else "Latin letters, digits and the signs - / . : _ only"


def _are_of(fields: tuple[str, ...], known: Mapping[str, object]) -> bool:
    return bool(fields) and len(set(fields)) == len(fields) and all(field in known for field in fields)


def _holder(client: ClientSystem) -> str:
    """Whose references they are; an account's id never looks like this."""
    return f"client {client.code}"
