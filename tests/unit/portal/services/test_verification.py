"""A verification that an auditor asks for ends in a verdict that is kept, and never in a false one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.actors import Role
from portal.domain.errors import NothingHere
from portal.domain.security_events import SecurityEvent
from portal.services.accounts import NewAccount
from portal.services.alerts import AlertKind
from portal.services.verification import Routine, RunKind, RunState
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import an_auditor


def test_a_sound_log_is_found_sound_and_the_request_is_an_entry(house: FakeHouse) -> None:
    house.log.append_all([an_access() for _ in range(10)])
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    assert house.verifications.run(run_id).state is RunState.WAITING
    house.verifications.perform(run_id)
    run = house.verifications.run(run_id)
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
    run = house.verifications.run(run_id)
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
    assert house.verifications.run(run_id).state is RunState.INTERRUPTED


def test_a_run_whose_process_died_is_told_as_interrupted(house: FakeHouse) -> None:
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    house.clock.now += timedelta(minutes=3)
    assert house.verifications.run(run_id).state is RunState.INTERRUPTED


def test_every_auditor_sees_every_run_and_who_asked_for_it(house: FakeHouse) -> None:
    run_id = house.verifications.request(an_auditor(), request_id="r1")
    house.clock.now += timedelta(minutes=3)
    house.verifications.perform_due()
    assert [run.requested_by for run in house.verifications.recent()] == [None, "account-auditor"]
    assert house.verifications.run(run_id).kind is RunKind.FULL
    with pytest.raises(NothingHere):
        house.verifications.run("none")


def _pass(house: FakeHouse, **time: int) -> None:
    house.clock.now += timedelta(**time)


def _entries_of_verifications(house: FakeHouse) -> list[tuple[bool, object]]:
    found = house.log.read(TrailQuery(actions=frozenset({Action.LOG_VERIFICATION}))).items
    return [(item.access.automatic, item.access.details["kind"]) for item in found if item.access]


def test_by_itself_the_whole_log_is_verified_daily_and_what_is_new_every_few_minutes(house: FakeHouse) -> None:
    house.log.append_all([an_access() for _ in range(10)])
    assert house.verifications.perform_due() == 1
    assert house.verifications.perform_due() == 0
    _pass(house, minutes=16)
    house.log.append_all([an_access() for _ in range(10)])
    assert house.verifications.perform_due() == 1
    onward, full = house.verifications.recent()
    assert (full.kind, full.since, full.size, full.state) == (RunKind.FULL, 0, 11, RunState.SOUND)
    assert (onward.kind, onward.since, onward.size, onward.state) == (RunKind.ONWARD, 11, 22, RunState.SOUND)
    _pass(house, hours=25)
    assert house.verifications.perform_due() == 1
    assert _entries_of_verifications(house) == [(True, "full"), (True, "onward"), (True, "full")]


def test_of_many_processes_that_find_it_due_one_performs_it(house: FakeHouse) -> None:
    house.log.append(an_access())
    with ThreadPoolExecutor(4) as pool:
        performed = list(pool.map(lambda _: house.verifications.perform_due(), range(4)))
    assert sum(performed) == 1
    assert len(house.verifications.recent()) == 1


def test_a_run_that_was_interrupted_is_made_up_for(house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LogUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(house.log, "verify", fail)
        house.verifications.perform_due()
    _pass(house, hours=24)
    assert house.verifications.perform_due() == 1
    assert house.verifications.recent()[0].state is RunState.SOUND


def _break_entry(house: FakeHouse, seq: int) -> None:
    engine = create_engine(house.home.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS bodies_refuses_update"))
        connection.execute(text(f"UPDATE bodies SET organisation = 'another' WHERE seq = {seq}"))
    engine.dispose()


def _mend_entry(house: FakeHouse, seq: int) -> None:
    engine = create_engine(house.home.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE bodies SET organisation = 'social-insurance' WHERE seq = {seq}"))
    engine.dispose()


def test_a_broken_log_is_told_to_every_auditor_until_a_full_run_finds_it_sound(
    house: FakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    [auditor] = house.accounts.open([NewAccount(Role.AUDITOR, "Aita Audiitor", "data-protection-inspectorate")])
    house.log.append_all([an_access() for _ in range(300)])
    house.verifications.perform_due()
    _pass(house, minutes=16)
    house.log.append_all([an_access() for _ in range(300)])
    _break_entry(house, 310)
    house.verifications.perform_due()
    found = house.verifications.standing()
    assert found.broken is not None
    assert (found.broken.kind, found.broken.first_broken) == (RunKind.ONWARD, 310)
    [alert] = house.safeguards.alerts.waiting(replace(an_auditor(), account_id=auditor))
    assert (alert.kind, alert.place) == (AlertKind.LOG_BROKEN, found.broken.run_id)
    assert SecurityEvent.VERIFICATION_FAILED in {record.getMessage() for record in caplog.records}
    _mend_entry(house, 310)
    _pass(house, minutes=16)
    house.verifications.perform_due()
    assert house.verifications.recent()[0].since == 0, "after a broken run nothing is trusted any more"
    assert house.verifications.standing().broken is not None
    _pass(house, hours=25)
    house.verifications.perform_due()
    assert house.verifications.standing().broken is None


def test_what_an_onward_run_trusts_a_full_one_reads_again(house: FakeHouse) -> None:
    house.log.append_all([an_access() for _ in range(600)])
    house.verifications.perform_due()
    _break_entry(house, 5)
    _pass(house, minutes=16)
    house.verifications.perform_due()
    assert house.verifications.recent()[0].state is RunState.SOUND
    _pass(house, hours=25)
    house.verifications.perform_due()
    assert house.verifications.recent()[0].first_broken == 5


def test_where_the_log_takes_no_entry_no_routine_run_is_made_and_that_is_kept(
    house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise LogUnavailable("no disk")

    monkeypatch.setattr(house.log, "append_all", fail)
    assert house.verifications.perform_due() == 0
    assert house.verifications.recent()[0].state is RunState.INTERRUPTED


def test_a_routine_that_is_switched_off_does_nothing_by_itself(house: FakeHouse) -> None:
    house.verifications._routine = Routine.of(0, 0)
    assert house.verifications.perform_due() == 0
    assert house.verifications.run_now(RunKind.FULL).state is RunState.SOUND
