"""Mandates at the gate: an end holds against everybody who looks at that moment, and nothing holds without an entry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.mandates import MandateLimits
from portal.services.disclosure import Gate
from portal.services.mandates.desk import NewMandate
from portal.services.mandates.room import Mandates
from portal.services.safeguards import Foundations
from portal.services.sealing import Sealer
from tests.factories.houses import TALLINN, FakeHouse
from tests.factories.people import JUHAN, MARY, a_citizen

MARI = a_citizen()
REPRESENTATIVE = a_citizen(JUHAN, "account-juhan")


class Office:
    """The room of mandates in a house of its own."""

    def __init__(self, house: FakeHouse) -> None:
        self.house = house
        sessions = house.safeguards.seals._sessions
        on = Foundations(sessions, Sealer("master"), house.log, house.clock, TALLINN, house.catalogue)
        gate = Gate(house.log, house.registries, house.clock)
        self.room = Mandates.furnish(on, gate, house.trail, MandateLimits(timedelta(days=365)))

    def give(self) -> str:
        last = (self.house.clock() + timedelta(days=30)).date()
        return self.room.desk.give(MARI, NewMandate(JUHAN, "Juhan", ("population",), last), request_id="give")

    def look(self, mandate: str) -> bool:
        try:
            return bool(self.room.acting.look(REPRESENTATIVE, mandate, "population", request_id="look").records)
        except NothingHere:
            return False

    def actions(self) -> list[tuple[str, str]]:
        found = [one.access for one in self.house.log.stream(TrailQuery()) if one.access]
        return [(access.action, access.outcome) for access in found]


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    house = FakeHouse.build(tmp_path, f"sqlite:///{tmp_path / 'log.db'}", database_url)
    house.registries["population"].holds(MARY, **{"given-names": "Mari"})
    yield Office(house)
    house.close()


def test_no_look_after_an_end_that_was_acknowledged_is_shown_anything(office: Office) -> None:
    mandate = office.give()
    start = threading.Barrier(5)

    def look() -> None:
        start.wait()
        for _ in range(4):
            office.look(mandate)

    def end() -> None:
        start.wait()
        office.room.desk.end(MARI, mandate, request_id="end")

    with ThreadPoolExecutor(5) as pool:
        for done in [*(pool.submit(look) for _ in range(4)), pool.submit(end)]:
            done.result()
    assert not office.look(mandate)
    actions = office.actions()
    ended = actions.index((Action.MANDATE_REVOCATION, Outcome.DONE))
    assert (Action.MANDATE_READ, Outcome.RELEASED) not in actions[ended:]
    shown = office.room.desk.one(MARI, mandate)
    assert shown.uses == actions.count((Action.MANDATE_READ, Outcome.RELEASED))


def test_of_two_who_end_it_at_once_one_does(office: Office) -> None:
    mandate = office.give()
    start = threading.Barrier(2)

    def end(actor: object) -> bool:
        start.wait()
        try:
            office.room.desk.end(actor, mandate, request_id="end")  # type: ignore[arg-type]
        except NothingHere:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(end, (MARI, REPRESENTATIVE))) == [False, True]
    steps = {Action.MANDATE_REVOCATION, Action.MANDATE_RENUNCIATION}
    assert len([one for one, _ in office.actions() if one in steps]) == 1


def test_while_the_log_is_out_of_reach_nothing_is_given_shown_or_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    mandate = office.give()

    def unreachable(*_: object, **__: object) -> None:
        raise LogUnavailable("out of reach")

    with monkeypatch.context() as broken:
        broken.setattr(office.house.log, "append_all", unreachable)
        for step in (
            office.give,
            lambda: office.look(mandate),
            lambda: office.room.desk.end(MARI, mandate, request_id="end"),
            lambda: office.room.acting.accesses(REPRESENTATIVE, mandate, "population", request_id="look"),
        ):
            with pytest.raises(DisclosureUnavailable):
                step()
    assert office.house.registries["population"].asked == []
    assert [one.uses for one in office.room.desk.all(MARI)] == [0]
    assert office.look(mandate)
