"""Two requests for consent that wait for the single parent: a bank's and an insurer's."""

from __future__ import annotations

from portal.demo.personas import SINGLE_PARENT, code_of
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem, Operation
from portal.services.consents.terms import ConsentRequest
from portal.services.house import House
from portal.services.machines import Admitted

_ASKED = (
    (
        "jarve-bank",
        "loan-application",
        {"population": ("given-names", "family-name", "address"), "tax-benefits": ("tax-year", "declared-income")},
        90,
        False,
    ),
    (
        "kindel-insurance",
        "motor-insurance-quote",
        {"vehicles": ("registration-number", "make", "model"), "driving-licences": ("licence-issued",)},
        30,
        True,
    ),
)


def ask_for_consents(house: House) -> None:
    """The same requests each time: an interrupted seeding makes them once."""
    for organisation, purpose, fields, days, continuing in _ASKED:
        request = ConsentRequest(
            subject=PersonalCode.parse(code_of(SINGLE_PARENT)),
            purpose=purpose,
            fields=fields,
            days=days,
            continuing=continuing,
        )
        house.consents.requests.ask(
            system_of(house, organisation, tuple(fields)), request, "demonstration", request_id=""
        )


def system_of(house: House, organisation: str, registries: tuple[str, ...]) -> Admitted:
    """The recipient's system with a token to ask for consent in these registries."""
    scopes = frozenset(Operation.REQUEST_CONSENT.scope(registry) for registry in registries)
    name = house.catalogue.organisations[organisation].name
    client = ClientSystem(f"{organisation}-demonstration", name, organisation, scopes, frozenset(), None, None)
    return Admitted(client, scopes)
