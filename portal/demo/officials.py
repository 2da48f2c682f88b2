"""Officials of the invented authorities: those who can sign in, and their colleagues who stand only in the log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from random import Random

from portal.demo.names import Names
from portal.demo.personas import (
    BENEFIT_OFFICER,
    BENEFIT_SUPERVISOR,
    CITIZENS,
    CONTRACTOR_AGENT,
    FIELD_AUDITOR,
    INSURANCE_CLERK,
    LEAD_AUDITOR,
    PATROL_OFFICER,
    TOWN_CLERK,
    TOWN_SUPERVISOR,
    code_of,
    name_of,
)
from portal.domain.actors import Duty, Role
from portal.domain.identifiers import PersonalCode
from portal.services.accounts import NewAccount

_NAMESPACE = uuid.UUID("6d0bfa3c-6b0f-5d43-9a53-0a4b9a4c7a10")
#: Where the caseworkers among the personas work, in the order of the sign-in page.
_CASEWORKERS = {
    BENEFIT_OFFICER: "social-insurance-board",
    CONTRACTOR_AGENT: "claimcheck",
    TOWN_CLERK: "jarvelinn",
    PATROL_OFFICER: "police",
    INSURANCE_CLERK: "insurance-fund",
}
_SUPERVISORS = {BENEFIT_SUPERVISOR: "social-insurance-board", TOWN_SUPERVISOR: "jarvelinn"}
#: Who may open a record in an emergency against the rules (docs/break-glass.md).
_DUTIES = {PATROL_OFFICER: frozenset({Duty.BREAK_GLASS})}
_AUDITORS = {LEAD_AUDITOR: "data-protection-inspectorate", FIELD_AUDITOR: "data-protection-inspectorate"}
#: Who may break the glass, and who is told of it beside the supervisors.
_DUTIES = {
    BENEFIT_OFFICER: frozenset({Duty.BREAK_GLASS}),
    PATROL_OFFICER: frozenset({Duty.BREAK_GLASS}),
    BENEFIT_SUPERVISOR: frozenset({Duty.DATA_PROTECTION}),
}
#: Administrators of the portal itself. They are nobody in the registries' story, so they have no code and no record.
_ADMINISTRATORS = {"lead-administrator": "Tiit Aas", "second-administrator": "Maarja Lind"}
#: The tax board's data protection officer, who is nobody in the registries' story either.
_OFFICERS = {"tax-officer": ("Riina Raud", "tax-board")}
_KEEPER_OF_THE_PORTAL = "population-authority"
#: How many colleagues without an account each authority has in the log.
_COLLEAGUES = {
    "social-insurance-board": 5,
    "claimcheck": 3,
    "jarvelinn": 3,
    "police": 7,
    "insurance-fund": 3,
    "tax-board": 4,
    "unemployment-fund": 4,
    "transport-administration": 4,
    "land-register": 3,
    "population-authority": 3,
}


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody who opens records at work, as the log names them."""

    account_id: str
    name: str = field(repr=False)
    organisation: str


def account_id_of(persona: str) -> str:
    """The same in every demonstration, so that an interrupted one can be continued."""
    return str(uuid.uuid5(_NAMESPACE, persona))


def demonstration_accounts() -> list[NewAccount]:
    """Whom one can sign in as: citizens, then caseworkers, their supervisors, auditors and administrators."""
    accounts = [_account(persona, Role.CITIZEN, None) for persona in CITIZENS]
    accounts += [_account(persona, Role.CASEWORKER, organisation) for persona, organisation in _CASEWORKERS.items()]
    accounts += [_account(persona, Role.SUPERVISOR, organisation) for persona, organisation in _SUPERVISORS.items()]
    accounts += [_account(persona, Role.AUDITOR, organisation) for persona, organisation in _AUDITORS.items()]
    accounts += [
        NewAccount(
            Role.SUPERVISOR,
            name,
            organisation,
            persona=persona,
            account_id=account_id_of(persona),
            duties=frozenset({Duty.DATA_PROTECTION}),
        )
        for persona, (name, organisation) in _OFFICERS.items()
    ]
    return accounts + [
        NewAccount(Role.ADMINISTRATOR, name, _KEEPER_OF_THE_PORTAL, persona=persona, account_id=account_id_of(persona))
        for persona, name in _ADMINISTRATORS.items()
    ]


def _account(persona: str, role: Role, organisation: str | None) -> NewAccount:
    return NewAccount(
        role=role,
        name=name_of(persona),
        organisation=organisation,
        personal_code=PersonalCode.parse(code_of(persona)),
        persona=persona,
        account_id=account_id_of(persona),
        duties=_DUTIES.get(persona, frozenset()),
    )


def known_official(persona: str) -> Official:
    return Official(account_id_of(persona), name_of(persona), _CASEWORKERS[persona])


def draw_officials(names: Names, rng: Random) -> dict[str, list[Official]]:
    """Everybody who works with records, by organisation. The town clerk is left out: what he does is planted."""
    officials: dict[str, list[Official]] = {organisation: [] for organisation in _COLLEAGUES}
    for persona, organisation in _CASEWORKERS.items():
        if persona != TOWN_CLERK:
            officials[organisation].append(known_official(persona))
    for organisation, count in _COLLEAGUES.items():
        for place in range(count):
            pool = names.pool(rng)
            sex = rng.choice("FM")
            name = f"{pool.first_name(sex, rng)} {pool.borne_by(pool.family_name(rng), sex)}"
            officials[organisation].append(Official(account_id_of(f"{organisation}/{place}"), name, organisation))
    return officials
