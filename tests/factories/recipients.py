"""Recipients of data by consent: what they ask, and services around their requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from portal.domain.consents import ConsentRules
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem, Operation
from portal.registries.recipient_files import load_consent_rules
from portal.services.consents.requests import Standing
from portal.services.consents.room import Consents
from portal.services.consents.terms import ConsentRequest
from portal.services.disclosure import Gate
from portal.services.machines import Admitted
from portal.services.safeguards import Foundations
from portal.services.sealing import Sealer
from tests.factories.client_systems import a_certificate, a_client
from tests.factories.houses import TALLINN, FakeHouse, shipped_catalogue
from tests.factories.people import MARY

FIELDS = {"population": ("given-names", "address"), "tax-benefits": ("declared-income",)}
_REGISTRIES = ("population", "tax-benefits", "employment", "land", "vehicles", "driving-licences")


@cache
def shipped_rules() -> ConsentRules:
    return load_consent_rules(Path(__file__).parents[2] / "config", shipped_catalogue())


def a_recipient(organisation: str = "jarve-bank") -> Admitted:
    """A recipient's system with a token for every registry."""
    scopes = frozenset(
        operation.scope(registry)
        for operation in (Operation.REQUEST_CONSENT, Operation.USE_CONSENT)
        for registry in _REGISTRIES
    )
    name = shipped_catalogue().organisations[organisation].name
    return Admitted(ClientSystem(f"{organisation}-system", name, organisation, scopes, frozenset(), None, None), scopes)


def a_consent_request(**changes: Any) -> ConsentRequest:
    values: dict[str, Any] = {
        "subject": MARY,
        "purpose": "loan-application",
        "fields": FIELDS,
        "days": 30,
        "continuing": True,
    }
    return ConsentRequest(**values | changes)


@dataclass
class Hall:
    """The room of consents in a house of its own, with the time of day in the test's hand."""

    house: FakeHouse
    consents: Consents
    _later: list[timedelta]

    @classmethod
    def of(cls, house: FakeHouse, rules: ConsentRules | None = None) -> Hall:
        later = [timedelta()]
        clock: Callable[[], datetime] = lambda: house.clock() + later[0]  # noqa: E731 - a value, as the services want it
        sessions = house.safeguards.seals._sessions
        on = Foundations(sessions, Sealer("master"), house.log, clock, TALLINN, house.catalogue)
        gate = Gate(house.log, house.registries, clock)
        return cls(house, Consents.furnish(on, gate, rules or shipped_rules()), later)

    def wait(self, **duration: int) -> None:
        self._later[0] += timedelta(**duration)

    def ask(self, key: str = "request-0001", recipient: Admitted | None = None, **changes: Any) -> Standing:
        return self.consents.requests.ask(
            recipient or a_recipient(), a_consent_request(**changes), key, request_id="request"
        )


def bank_client() -> str:
    """The bank's entry of clients.toml, with the keys and certificate of the usual test system."""
    scopes = [
        f'"consents.{verb}:{registry}"' for verb in ("request", "use") for registry in ("population", "tax-benefits")
    ]
    return a_client(
        code='"bank-system"',
        organisation='"jarve-bank"',
        scopes=f"[{', '.join(scopes)}]",
        certificates=f'["{a_certificate("bank").thumbprint}"]',
        jwks_file='"keys.json"',
    )


def a_consent_body(subject: PersonalCode = MARY, **changes: Any) -> dict[str, Any]:
    body = {
        "subject": subject.reveal(),
        "purpose": "loan-application",
        "fields": {code: list(fields) for code, fields in FIELDS.items()},
        "days": 30,
        "continuing": True,
    }
    return body | changes
