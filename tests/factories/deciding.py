"""Organisations that announce decisions: their systems, what they tell, and services around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from config.disputes import AttachmentSettings, DisputeSettings
from portal.domain.actors import Actor, Duty, Role
from portal.domain.disputes import DisputeKind, Ruling
from portal.domain.disputes import Ground as LawfulGround
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import DecisionRules, Ground
from portal.domain.machines import ClientSystem, Operation
from portal.registries.decision_files import load_decision_rules
from portal.services.accounts import NewAccount
from portal.services.decisions.announcing import Announcement
from portal.services.decisions.register import ShownDecision
from portal.services.decisions.room import Decisions
from portal.services.disputes.citizens import Complaint
from portal.services.disputes.room import DisputeRoom, DisputeTerms
from portal.services.machines import Admitted
from portal.services.safeguards import Foundations
from portal.services.sealing import Sealer
from tests.factories.client_systems import a_certificate, a_client
from tests.factories.houses import TALLINN, FakeHouse, shipped_catalogue
from tests.factories.people import MARY, a_citizen

WHY = "The man they name left this flat years before I moved in, and I never met him."
REASONS = "The address file was bought and had never been checked against the population register."
HUMAN_REASON = "I read the lease and both statements; the couple declared the flat together in May."
RULE = "undeclared-partner"
#: The link that a data broker sold, and the address that the population register holds.
PARTNER = Ground("tax-benefits", "partner-name", "purchased", 41, date(2025, 6, 1))
ADDRESS = Ground("population", "address", "registry", None, None)


@cache
def shipped_decision_rules() -> DecisionRules:
    return load_decision_rules(Path(__file__).parents[2] / "config", shipped_catalogue())


def a_deciding_system(organisation: str = "tax-board", *registries: str) -> Admitted:
    scopes = frozenset(Operation.ANNOUNCE_DECISION.scope(registry) for registry in registries or ("tax-benefits",))
    name = shipped_catalogue().organisations[organisation].name
    client = ClientSystem(f"{organisation}-decides", name, organisation, scopes, frozenset(), None, None)
    return Admitted(client, scopes)


@dataclass
class DecisionDesk:
    """The rooms of decisions and disputes in a house of its own, with the time of day in the test's hand."""

    house: FakeHouse
    decisions: Decisions
    disputes: DisputeRoom
    officer: Actor
    _later: list[timedelta]

    @classmethod
    def open(cls, folder: Path, url: str) -> Iterator[DecisionDesk]:
        house = FakeHouse.build(folder, f"sqlite:///{folder / 'log.db'}", url)
        yield cls.of(house)
        house.close()

    @classmethod
    def of(cls, house: FakeHouse) -> DecisionDesk:
        later = [timedelta()]
        clock: Callable[[], datetime] = lambda: house.clock() + later[0]  # noqa: E731 - a value, as the services want it
        sessions = house.safeguards.seals._sessions
        on = Foundations(sessions, Sealer("master"), house.log, clock, TALLINN, house.catalogue)
        attachments = AttachmentSettings(folder=house.folder / "attachments")
        terms = DisputeTerms.of(attachments, DisputeSettings(), is_production=False)
        disputes = DisputeRoom.furnish(on, house.accounts, house.trail, house.oversight, terms)
        duty = frozenset({Duty.DATA_PROTECTION})
        [officer] = house.accounts.open([NewAccount(Role.SUPERVISOR, "Riina Raud", "tax-board", duties=duty)])
        return cls(
            house,
            Decisions.furnish(on, shipped_decision_rules(), disputes),
            disputes,
            Actor(officer, Role.SUPERVISOR, "Riina Raud", "tax-board", None, duties=duty),
            later,
        )

    @property
    def today(self) -> date:
        return (self.house.clock() + self._later[0]).astimezone(TALLINN).date()

    def wait(self, **duration: int) -> None:
        self._later[0] += timedelta(**duration)

    def an_announcement(self, **changes: Any) -> Announcement:
        values: dict[str, Any] = {
            "subject": MARY,
            "rule": RULE,
            "reference": "TX-2026-117",
            "automated": True,
            "effect_on": self.today + timedelta(days=20),
            "grounds": (PARTNER, ADDRESS),
        }
        return Announcement(**values | changes)

    def announce(self, key: str = "decision-0001", by: Admitted | None = None, **changes: Any) -> ShownDecision:
        told = self.an_announcement(**changes)
        return self.decisions.announcing.announce(by or a_deciding_system(), told, key, request_id="announce")

    def standing(self, decision: ShownDecision) -> ShownDecision:
        """As the organisation's system reads it now."""
        return self.decisions.announcing.one(a_deciding_system(), decision.decision_id)

    def contest_in_the_record(self, registry: str, field: str, kind: DisputeKind = DisputeKind.RECTIFICATION) -> str:
        """Not from the decision but from the data."""
        complaint = Complaint(kind=kind, text=WHY, registry=registry, field=field)
        return self.disputes.own.open(a_citizen(), complaint, request_id="contest")

    def rule_on(self, dispute: str, ruling: Ruling, organisation: str = "tax-board") -> None:
        officer = replace(self.officer, organisation=organisation)
        self.disputes.desk.decide(
            officer,
            dispute,
            ruling,
            REASONS,
            request_id="ruling",
            ground=None if ruling is Ruling.UPHELD else LawfulGround.ACCURATE,
        )


def deciding_client() -> str:
    """The tax board's entry of clients.toml, with the keys and certificate of the usual test system."""
    return a_client(
        code='"tax-system"',
        organisation='"tax-board"',
        scopes='["decisions.announce:tax-benefits"]',
        certificates=f'["{a_certificate("tax").thumbprint}"]',
        jwks_file='"keys.json"',
    )


def a_decision_body(effect_on: date, subject: PersonalCode = MARY, **changes: Any) -> dict[str, Any]:
    body = {
        "subject": subject.reveal(),
        "rule": RULE,
        "reference": "TX-2026-117",
        "automated": True,
        "effect_on": effect_on.isoformat(),
        "data": [
            {
                "registry": "tax-benefits",
                "field": "partner-name",
                "source": "purchased",
                "confidence": 41,
                "as_of": "2025-06-01",
            },
            {"registry": "population", "field": "address", "source": "registry"},
        ],
    }
    return body | changes
