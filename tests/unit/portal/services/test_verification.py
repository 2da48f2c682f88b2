"""A verification that an auditor asks for ends in a verdict that is kept, and never in a false one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.errors import NothingHere
from portal.services.verification import RunState
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import an_auditor


def test_a_sound_log_is_found_sound_and_the_request_is_an_entry(house: FakeHouse) -> None:
    house.log.append_all([an_access() for _ in range(10)])
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    assert house.verifications.run(an_auditor(), run_id).state is RunState.WAITING
    house.verifications.perform(run_id)
    run = house.verifications.run(an_auditor(), run_id)
    assert (run.state, run.size, run.first_broken) == (RunState.SOUND, 11, None)
    assert run.is_over
    assert run.root == house.log.checkpoint().checkpoint.root.hex()
    assert house.log.count(TrailQuery(actions=frozenset({Action.LOG_VERIFICATION}))) == 1


def test_a_broken_log_is_named_at_its_entry(house: FakeHouse) -> None:
    house.log.append_all([an_access() for _ in range(10)])
    engine = create_engine(house.home.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER bodies_refuses_update"))
        connection.execute(text("UPDATE bodies SET organisation = 'another' WHERE seq = 4"))
    engine.dispose()
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    house.verifications.perform(run_id)
    run = house.verifications.run(an_auditor(), run_id)
    assert (run.state, run.first_broken) == (RunState.BROKEN, 4)
    assert run.problem


def test_a_run_that_cannot_be_finished_says_nothing_about_the_log(
    house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise LogUnavailable("no disk")

    run_id = house.verifications.request(an_auditor(), request_id="r1")
    monkeypatch.setattr(house.log, "verify", fail)
    house.verifications.perform(run_id)
    assert house.verifications.run(an_auditor(), run_id).state is RunState.INTERRUPTED


def test_a_run_whose_process_died_is_told_as_interrupted(house: FakeHouse) -> None:
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    house.clock.now += timedelta(minutes=3)
    assert house.verifications.run(an_auditor(), run_id).state is RunState.INTERRUPTED


def test_runs_belong_to_whom_asked_for_them(house: FakeHouse) -> None:
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    assert [run.run_id for run in house.verifications.recent(an_auditor())] == [run_id]
    assert house.verifications.recent(an_auditor("another")) == []
    for actor, wanted in ((an_auditor("another"), run_id), (an_auditor(), "none")):
        with pytest.raises(NothingHere):
            house.verifications.run(actor, wanted)
