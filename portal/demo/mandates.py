"""A mandate between two people whom the demonstration knows: the pensioner lets the single parent look for him."""

from __future__ import annotations

from portal.demo.officials import account_id_of
from portal.demo.personas import PENSIONER, SINGLE_PARENT, code_of
from portal.domain.identifiers import PersonalCode
from portal.services.house import House
from portal.services.mandates.desk import NewMandate

_REGISTRIES = ("population", "health-insurance")


def give_mandates(house: House) -> None:
    """Once: an interrupted seeding finds that it is given."""
    giver = house.accounts.actor(account_id_of(PENSIONER))
    if not house.mandates.desk.all(giver):
        receiver, desk = PersonalCode.parse(code_of(SINGLE_PARENT)), house.mandates.desk
        desk.give(
            giver, NewMandate(receiver, "Kadri from the second floor", _REGISTRIES, desk.latest_day()), request_id=""
        )
