"""The trail as a FHIR R5 Bundle of AuditEvent (https://hl7.org/fhir/R5/auditevent.html), for systems of health care.

One Bundle of type `collection`, written with each entry on a line of its own, so that it is made and counted in
constant memory. What FHIR has no element for stands in the entity's details under the names of an export's columns.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator

from audit.entry import Access
from audit.log import LoggedAccess
from portal.domain.actions import OWN_LOOKS, Action, Outcome

_BLOCK = 64 * 1024
#: Identifiers of the portal's own: an action, a purpose, an organisation, an official, a person, a registry, an entry.
_SYSTEM = "urn:glasshouse:"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_SEVERITY = "http://hl7.org/fhir/issue-severity"
#: Single letters of FHIR's audit-event-action: R reads, E executes.
_READS = frozenset({Action.READ, Action.AUTOMATED_READ, Action.MANDATE_READ, *OWN_LOOKS})
_WENT_WELL = frozenset({Outcome.RELEASED, Outcome.DONE})


def fhir_bundle(entries: Iterable[LoggedAccess]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    buffer.write('{"resourceType":"Bundle","type":"collection","entry":[')
    separator = "\n"
    for logged in entries:
        buffer.write(separator)
        entry = {"fullUrl": f"{_SYSTEM}entry:{logged.seq}", "resource": audit_event(logged)}
        buffer.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        separator = ",\n"
        if buffer.tell() >= _BLOCK:
            yield _taken(buffer)
    buffer.write("\n]}\n")
    yield _taken(buffer)


def audit_event(logged: LoggedAccess) -> dict[str, object]:
    """One entry as an AuditEvent. Of an erased one FHIR's required elements say that the content is masked."""
    event: dict[str, object] = {
        "resourceType": "AuditEvent",
        "id": f"entry-{logged.seq}",
        "recorded": logged.logged_at.isoformat(timespec="milliseconds"),
    }
    access = logged.access
    if access is None:
        masked = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
        return event | {"code": masked, "agent": [{"who": masked}], "source": {"observer": masked}}
    event |= {
        "code": _concept("action", access.action),
        "action": "R" if access.action in _READS else "E",
        "occurredDateTime": access.occurred_at.isoformat(timespec="milliseconds"),
        "outcome": _outcome(access),
        "agent": [_agent(access)],
        "source": {"observer": _reference("source", access.source)},
    }
    if access.purpose is not None:
        event["authorization"] = [_concept("purpose", access.purpose, access.lawful_basis)]
    if access.case is not None:
        event["basedOn"] = [_reference("case", access.case)]
    return event | {"entity": [_entity(access)]}


def _outcome(access: Access) -> dict[str, object]:
    code = "success" if access.outcome in _WENT_WELL else "error"
    told = [_concept("outcome", access.outcome)]
    if access.reason is not None:
        told.append(_concept("reason", access.reason))
    return {"code": {"system": _SEVERITY, "code": code}, "detail": told}


def _agent(access: Access) -> dict[str, object]:
    if access.official is not None:
        who = _reference("official", access.official, access.official_name)
    else:
        who = _reference("organisation", access.organisation or access.source)
    agent: dict[str, object] = {"who": who, "requestor": not access.automatic}
    if access.role is not None:
        agent["role"] = [_concept("role", access.role)]
    return agent


def _entity(access: Access) -> dict[str, object]:
    entity: dict[str, object] = {}
    if access.subject is not None:
        entity["what"] = _reference("subject", access.subject)
    if access.registry is not None:
        entity["role"] = _concept("registry", access.registry)
    if access.seal is not None:
        entity["securityLabel"] = [_concept("seal", access.seal)]
    return entity | {"detail": _details(access)}


def _details(access: Access) -> list[dict[str, object]]:
    told: list[tuple[str, object]] = [
        ("organisation", access.organisation),
        ("on_behalf_of", access.on_behalf_of),
        ("justification", access.justification),
        ("request_id", access.request_id),
        *(("field", field) for field in access.fields),
        *access.details.items(),
    ]
    details: list[dict[str, object]] = [
        {"type": {"text": name}, **({"valueInteger": value} if _fits(value) else {"valueString": str(value)})}
        for name, value in told
        if value not in (None, "")
    ]
    return [*details, {"type": {"text": "automatic"}, "valueBoolean": access.automatic}]


def _fits(value: object) -> bool:
    """Whether FHIR's integer, of 32 bits, holds it."""
    return isinstance(value, int) and -(2**31) <= value < 2**31


def _concept(system: str, code: str, text: str | None = None) -> dict[str, object]:
    concept: dict[str, object] = {"coding": [{"system": _SYSTEM + system, "code": code}]}
    return concept if text is None else concept | {"text": text}


def _reference(system: str, value: str, display: str | None = None) -> dict[str, object]:
    reference: dict[str, object] = {"identifier": {"system": _SYSTEM + system, "value": value}}
    return reference if display is None else reference | {"display": display}


def _taken(buffer: io.StringIO) -> bytes:
    block = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return block
