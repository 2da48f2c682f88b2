"""A decision that the tax board intends about the single parent, on data that it bought (the Concentrix situation)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

from portal.demo.personas import SINGLE_PARENT, code_of, purchased_on
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import DecisionKeyTaken, Ground
from portal.domain.machines import ClientSystem, Operation
from portal.services.decisions.announcing import Announcement
from portal.services.house import House
from portal.services.machines import Admitted

_NOTICE = timedelta(days=30)
#: How sure the data broker was: `PartnerLink` of the single parent.
_CONFIDENCE = 41


def announce_decisions(house: House, today: date) -> None:
    """Once: the next seeding after an interrupted one, perhaps on another day, finds it there."""
    bought = purchased_on(today)
    now = house.decisions.on.clock().astimezone(house.decisions.on.zone).date()
    told = Announcement(
        subject=PersonalCode.parse(code_of(SINGLE_PARENT)),
        rule="undeclared-partner",
        reference="MTT-2026-20881",
        automated=True,
        effect_on=now + _NOTICE,
        grounds=(
            Ground("tax-benefits", "partner-name", "purchased", _CONFIDENCE, bought),
            Ground("tax-benefits", "partner-link", "purchased", _CONFIDENCE, bought),
            Ground("population", "address", "registry", None, today),
        ),
    )
    with suppress(DecisionKeyTaken):
        house.decisions.announcing.announce(board_of(house), told, "demonstration", request_id="")


def board_of(house: House) -> Admitted:
    """The tax board's system with a token to announce decisions."""
    name = house.catalogue.organisations["tax-board"].name
    scopes = frozenset({Operation.ANNOUNCE_DECISION.scope("tax-benefits")})
    return Admitted(ClientSystem("tax-board-demonstration", name, "tax-board", scopes, frozenset(), None, None), scopes)
