"""One look in the demonstration's history, and the entries it leaves: the same as those the gate writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from audit.entry import Access
from portal.demo.officials import Official
from portal.domain.actions import OWN_LOOKS, PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Role
from portal.domain.purposes import Purpose
from portal.registries.catalogue import Catalogue

#: The role under which a registry's own system stands in the log.
SYSTEM_ROLE = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One person's data looked at, or asked for, once. `registries` empty: all that the purpose reaches.

    Without an `official` it is the person's own look, or with an `organisation` that organisation's system.
    """

    action: Action
    subject: str = field(repr=False)
    purpose: str
    official: Official | None = None
    organisation: str | None = None
    registries: tuple[str, ...] = ()
    case: str | None = None
    justification: str | None = field(default=None, repr=False)
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happens at one moment: one look, or a system's nightly run. `fails`: the registry then gave no answer."""

    at: datetime
    looks: tuple[Look, ...]
    fails: bool = False


def accesses_of(event: Event, catalogue: Catalogue, request_id: str) -> list[Access]:
    """The entries of an event, one for each look and registry."""
    return [
        _access(look, registry, event.at, catalogue, request_id)
        for look in event.looks
        for registry in look.registries or tuple(catalogue.purposes[look.purpose].permits)
    ]


def failure_of(access: Access, entry: int) -> Access:
    """The entry that follows when the registry gave nothing for the look in entry number `entry`."""
    values = {name: getattr(access, name) for name in Access.__dataclass_fields__}
    values |= {
        "outcome": Outcome.FAILED,
        "reason": Reason.REGISTRY_UNAVAILABLE,
        "details": {"refers-to": entry},
    }
    return Access(**values)


def _access(look: Look, registry: str, at: datetime, catalogue: Catalogue, request_id: str) -> Access:
    purpose = catalogue.purposes[look.purpose]
    official = look.official
    is_automatic = look.action is Action.AUTOMATED_READ
    organisation = look.organisation if official is None else official.organisation
    return Access(
        action=look.action,
        outcome=Outcome.RELEASED if look.refusal is None else Outcome.DENIED,
        source=registry if is_automatic else PORTAL_SOURCE,
        occurred_at=at,
        subject=f"EE{look.subject}",
        organisation=organisation,
        role=_role(look),
        official=None if official is None else official.account_id,
        official_name=None if official is None else official.name,
        on_behalf_of=None if organisation is None else catalogue.organisations[organisation].acts_for,
        registry=registry,
        fields=_fields(look, purpose, registry, catalogue),
        purpose=purpose.code,
        lawful_basis=purpose.lawful_basis.en,
        case=look.case,
        justification=look.justification,
        request_id=request_id,
        reason=look.refusal,
        automatic=is_automatic,
    )


def _role(look: Look) -> str:
    if look.action in OWN_LOOKS:
        return Role.CITIZEN
    return SYSTEM_ROLE if look.official is None else Role.CASEWORKER


def _fields(look: Look, purpose: Purpose, registry: str, catalogue: Catalogue) -> tuple[str, ...]:
    """What was released, in the registry's order: nothing when it was denied or only asked about."""
    if look.refusal is not None or look.action is Action.OWN_CONFIRMATION:
        return ()
    fields = tuple(catalogue.registries[registry].fields)
    if look.action is Action.OWN_READ:
        return fields
    return tuple(code for code in fields if code in purpose.permits[registry])
