"""The demonstration is made once, and goes on from where it was interrupted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.entry import encode_body
from audit.log import AuditLog, TrailQuery, open_log
from config.settings import Settings, SettingsError
from portal.demo import seeding
from portal.demo.building import registry_files
from portal.demo.country import SEED
from portal.demo.personas import PUBLIC_FIGURE, SINGLE_PARENT, code_of
from portal.demo.places import address, on_the_map
from portal.demo.protected import mark_of
from portal.demo.seeding import SeedReport, seed_country
from portal.domain.actions import Action
from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.furnishing import furnish_house
from portal.installation import initialise, log_settings
from portal.services.entrance import Visit
from portal.services.house import House
from portal.services.sessions import Method, Proof

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return initialise(Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)}, demo_people=200))


@pytest.fixture(autouse=True)
def few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "_PEOPLE_WITH_HISTORY", 12)


#: What is logged as of now behind the past: cases, an absence, what was handed over, requests for consent, mandates and
#: an intended decision.
OF_NOW = frozenset(
    {
        Action.DECISION_ANNOUNCEMENT,
        Action.CASE_CHANGE,
        Action.ABSENCE_CHANGE,
        Action.REVIEW_ESCALATION,
        Action.CONSENT_REQUEST,
        Action.MANDATE_GIVING,
        Action.MANDATE_ASSIGNMENT,
        Action.ALERT,
    }
)
#: The invented past.
HISTORY = TrailQuery(exclude_actions=OF_NOW)


def quiet(_what: str, _done: int, _total: int) -> None: ...


def seed(settings: Settings, progress: Callable[[str, int, int], None] = quiet, now: datetime = NOW) -> SeedReport:
    return seed_country(settings, furnish_house, log_settings(settings), progress, clock=lambda: now)


def bodies(settings: Settings) -> list[bytes]:
    log = open_log(log_settings(settings))
    try:
        assert log.verify().ok
        return [encode_body(logged.access) for logged in log.stream(HISTORY) if logged.access is not None]
    finally:
        log.close()


def test_seeding_fills_registries_accounts_and_the_log_and_the_log_verifies(settings: Settings) -> None:
    report = seed(settings)
    assert not report.was_there
    assert (report.people, report.registries) == (200, 7)
    assert report.accesses == len(bodies(settings)) > 300
    house: House = furnish_house(settings)
    accounts = house.accounts.demonstration_people()
    mother = next(account for account in accounts if account.persona == SINGLE_PARENT)
    code = house.accounts.actor(mother.account_id).personal_code
    assert code is not None
    assert house.log.read(TrailQuery(subject=code.subject, exclude_actions=OF_NOW)).items[0].logged_at <= NOW
    house.log.close()


def test_a_back_dated_entry_is_logged_at_the_time_it_tells_of(settings: Settings) -> None:
    seed(settings)
    log = open_log(log_settings(settings))
    for logged in log.stream(HISTORY):
        assert logged.access is not None
        assert logged.logged_at == logged.access.occurred_at
    log.close()


def test_a_second_start_finds_everything_there_and_touches_nothing(settings: Settings) -> None:
    first = seed(settings)
    before = {file: file.stat().st_mtime_ns for file in registry_files(settings.data_dir / "registries")}

    def refuse(_settings: Settings) -> House:
        raise AssertionError("nothing is to be opened")

    later = NOW + timedelta(days=30)
    report = seed_country(settings, refuse, log_settings(settings), quiet, clock=lambda: later)
    assert report == SeedReport(True, first.people, first.registries, first.accesses)
    assert before == {file: file.stat().st_mtime_ns for file in before}


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("what", ["people in the registries", "events in the log"])
def test_an_interrupted_seeding_is_finished_by_the_next_without_anything_twice(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:
    def interrupt(doing: str, done: int, total: int) -> None:
        if doing == what and done * 2 > total:
            raise Interrupted

    with pytest.raises(Interrupted):
        seed(settings, interrupt)
    report = seed(settings, now=NOW + timedelta(days=2))
    assert not report.was_there
    whole = initialise(Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path_factory.mktemp("whole"))}, demo_people=200))
    assert seed(whole).accesses == report.accesses
    assert bodies(whole) == bodies(settings)


def test_entries_of_others_that_came_in_between_are_kept_and_time_goes_on_from_them(settings: Settings) -> None:
    house = furnish_house(settings)
    log: AuditLog = house.log
    ids = house.accounts.open([seeding.demonstration_accounts()[0]], demonstration=True)
    person = house.accounts.demonstration_person(ids[0])
    proof = Proof(Method.DEMONSTRATION, Assurance.SUBSTANTIAL)
    house.entrance.let_in(person, proof, Visit("a-real-one", Device()))
    signed_in = log.entry(0).logged_at
    log.close()
    report = seed(settings)
    log = open_log(log_settings(settings))
    assert log.count(HISTORY) == report.accesses + 1
    assert log.entry(1).logged_at >= signed_in
    assert log.verify().ok
    log.close()


def test_a_lost_registry_is_made_anew(settings: Settings) -> None:
    first = seed(settings)
    lost = registry_files(settings.data_dir / "registries")[0]
    lost.unlink()
    report = seed(settings)
    assert (report.was_there, report.accesses) == (False, first.accesses)
    with closing(sqlite3.connect(lost)) as connection:
        assert connection.execute("SELECT count(*) FROM isik").fetchone() == (200,)


def _marks(settings: Settings) -> dict[str, str]:
    with closing(sqlite3.connect(settings.data_dir / "registries" / "population.db")) as connection:
        return dict(connection.execute("SELECT isikukood, kaitse FROM isik"))


def _as_an_older_version_left_it(settings: Settings) -> Path:
    file = settings.data_dir / "registries" / "population.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE isik DROP COLUMN kaitse")
        connection.commit()
    return file


def test_a_register_from_before_there_were_marks_gets_the_same_marks_as_a_new_one(settings: Settings) -> None:
    seed(settings)
    new = _marks(settings)
    assert new[code_of(PUBLIC_FIGURE)] == "avalik"
    _as_an_older_version_left_it(settings)
    assert seed(settings).was_there
    assert _marks(settings) == new


def test_a_land_register_from_before_there_was_a_map_gets_the_places_of_a_new_one(settings: Settings) -> None:
    def places() -> list[tuple[str, float, float]]:
        with closing(sqlite3.connect(settings.data_dir / "registries" / "land.db")) as connection:
            return connection.execute("SELECT kinnistu_nr, ida_m, pohi_m FROM kinnistu ORDER BY 1").fetchall()

    seed(settings)
    new = places()
    assert all(east and north for _, east, north in new)
    with closing(sqlite3.connect(settings.data_dir / "registries" / "land.db")) as connection:
        connection.execute("ALTER TABLE kinnistu DROP COLUMN ida_m")
        connection.execute("ALTER TABLE kinnistu DROP COLUMN pohi_m")
        connection.commit()
    assert seed(settings).was_there
    assert places() == new


def test_houses_of_a_street_lie_in_a_row_and_flats_of_a_house_on_one_spot() -> None:
    first, flat, second, elsewhere = (on_the_map(address(number).line) for number in (0, 1, 12, 12 * 60))
    assert first == flat
    assert (second[0] - first[0], second[1] - first[1]) == (30, 0)
    assert max(abs(elsewhere[0] - first[0]), abs(elsewhere[1] - first[1])) > 1000
    with pytest.raises(ValueError, match="no address"):
        on_the_map("somewhere")


def test_an_older_register_that_cannot_be_changed_is_an_error_that_says_what_to_do(settings: Settings) -> None:
    seed(settings)
    file = _as_an_older_version_left_it(settings)
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(SettingsError, match="made anew"):
        seed(settings)


def test_of_a_whole_country_a_few_dozen_people_are_marked() -> None:
    marks = Counter(mark_of(f"{number:011}", SEED) for number in range(20_000))
    assert 24 <= marks["aadress"] + marks["avalik"] <= 60
    assert min(marks["aadress"], marks["avalik"]) >= 5
