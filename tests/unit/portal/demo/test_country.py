"""The invented people: valid, unique, the same each time, and believable as a country."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.ee import ik

from portal.demo.building import build_registries, registry_files
from portal.demo.codes import CodeBook, personal_code
from portal.demo.country import Country
from portal.demo.people import Person
from portal.demo.personas import CITIZENS, FORMER_TENANT, NEIGHBOUR, SINGLE_PARENT, TOWN_CLERK, code_of, name_of
from portal.demo.places import address
from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import Catalogue, SourceKind, load_catalogue
from portal.registries.connector import Connector
from portal.registries.sql import build_connectors

SHIPPED = Path(__file__).parents[4] / "config"
TODAY = date(2026, 3, 2)
SIZE = 1_200


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [person for household in Country(SIZE, TODAY).households() for person in household]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(SHIPPED)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    build_registries(folder / "registries", Country(SIZE, TODAY), lambda *_: None)
    return folder


@pytest.fixture(scope="module")
def connectors(catalogue: Catalogue, data_dir: Path) -> dict[str, Connector]:
    return build_connectors(catalogue, data_dir, {})


def rows_of(folder: Path) -> dict[str, list[str]]:
    """Every row of every registry, as SQL."""
    dumps = {}
    for file in registry_files(folder):
        with closing(sqlite3.connect(file)) as connection:
            dumps[file.name] = list(connection.iterdump())
    return dumps


def test_the_country_has_exactly_as_many_people_as_were_asked_for(people: list[Person]) -> None:
    assert len(people) == SIZE


def test_every_personal_code_is_valid_and_nobody_shares_one(people: list[Person]) -> None:
    assert len({person.code for person in people}) == SIZE
    for person in people:
        assert ik.is_valid(person.code)
        assert ik.get_birth_date(person.code) == person.born
        assert ik.get_gender(person.code) == person.sex


@given(st.sampled_from("MF"), st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_a_made_code_is_one_that_the_portal_accepts(sex: str, born: date, serial: int) -> None:
    code = personal_code(sex, born, serial)
    assert PersonalCode.parse(code).born_on == born
    assert ik.get_gender(code) == sex


def test_a_code_is_not_given_twice() -> None:
    book = CodeBook()
    book.take(code_of(SINGLE_PARENT))
    with pytest.raises(ValueError, match="one personal code"):
        book.take(code_of(SINGLE_PARENT))


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_no_two_dwellings_have_one_address(first: int, second: int) -> None:
    assert (address(first).line == address(second).line) == (first == second)


def test_nobody_is_born_or_moves_or_works_in_the_future(people: list[Person]) -> None:
    for person in people:
        assert person.born <= TODAY
        assert all(residence.since <= TODAY for residence in person.residences)
        assert all(job.since <= TODAY and (job.until is None or job.until <= TODAY) for job in person.jobs)


def test_homes_follow_one_another_without_overlap_and_end_with_the_present_one(people: list[Person]) -> None:
    for person in people:
        assert [residence.until is None for residence in person.residences].count(True) == 1
        for earlier, later in zip(person.residences, person.residences[1:], strict=False):
            assert earlier.until is not None
            assert earlier.since <= earlier.until < later.since


def test_family_ties_are_seen_from_both_sides(people: list[Person]) -> None:
    ties = {(person.code, tie.kind, tie.other) for person in people for tie in person.ties}
    other_side = {"laps": "vanem", "vanem": "laps", "abikaasa": "abikaasa"}
    assert ties
    assert all((other, other_side[kind], code) in ties for code, kind, other in ties)


def test_the_same_seed_and_day_give_the_same_rows(data_dir: Path, tmp_path: Path) -> None:
    build_registries(tmp_path / "again", Country(SIZE, TODAY), lambda *_: None)
    assert rows_of(data_dir / "registries") == rows_of(tmp_path / "again")


def test_another_seed_gives_other_people_and_the_same_personas(people: list[Person]) -> None:
    others = [person for household in Country(SIZE, TODAY, seed=1).households() for person in household]
    assert {person.code for person in people} != {person.code for person in others}
    assert {p.code for p in people if p.persona} == {p.code for p in others if p.persona}


def test_half_have_a_vehicle_a_fifth_land_and_some_nothing(
    connectors: dict[str, Connector], people: list[Person]
) -> None:
    holds: Counter[str] = Counter()
    for person in people[:500]:
        subject = PersonalCode.parse(person.code)
        holds.update(code for code, connector in connectors.items() if connector.count(subject))
    shares = {code: holds[code] / 500 for code in connectors}
    assert shares["population"] == 1
    assert 0.35 < shares["vehicles"] < 0.6
    assert 0.12 < shares["land"] < 0.28
    for code in ("tax-benefits", "employment", "vehicles", "driving-licences", "land"):
        assert 0 < shares[code] < 0.95, code


def test_every_described_field_can_be_read_for_every_persona(
    catalogue: Catalogue, connectors: dict[str, Connector]
) -> None:
    seen: set[tuple[str, str]] = set()
    for persona in CITIZENS:
        subject = PersonalCode.parse(code_of(persona))
        for code, registry in catalogue.registries.items():
            for record in connectors[code].fetch(subject, list(registry.fields)):
                seen |= {(code, field) for field in record.fields}
    described = {(code, field) for code, registry in catalogue.registries.items() for field in registry.fields}
    assert seen == described


def test_stored_codes_all_have_words(
    catalogue: Catalogue, connectors: dict[str, Connector], people: list[Person]
) -> None:
    for person in people[:300]:
        for code, registry in catalogue.registries.items():
            spoken = [field.code for field in registry.fields.values() if field.values]
            for record in connectors[code].fetch(PersonalCode.parse(person.code), spoken):
                for field, held in record.fields.items():
                    assert held.value is None or held.value in registry.fields[field].values, (code, field)


def test_bought_data_name_a_former_tenant_as_the_single_parents_partner_and_the_population_register_contradicts(
    connectors: dict[str, Connector],
) -> None:
    mother, tenant = (PersonalCode.parse(code_of(persona)) for persona in (SINGLE_PARENT, FORMER_TENANT))
    (link,) = connectors["tax-benefits"].fetch(mother, ["partner-name", "partner-address"])
    partner = link.fields["partner-name"]
    assert partner.value == name_of(FORMER_TENANT)
    assert partner.source.kind is SourceKind.PURCHASED
    assert partner.confidence == pytest.approx(0.41)
    assert partner.as_of is not None
    assert partner.as_of < TODAY
    population = connectors["population"]
    homes = population.fetch(tenant, ["address", "municipality", "lived-there-from", "lived-there-until"])
    hers = population.fetch(mother, ["address", "municipality", "lived-there-from", "marital-status"])
    (flat,) = [record.fields for record in hers if "address" in record.fields]
    assert link.fields["partner-address"].value == f"{flat['address'].value}, {flat['municipality'].value}"
    now, before = homes
    assert now.fields["lived-there-until"].value is None
    assert now.fields["address"].value != flat["address"].value
    assert before.fields["address"].value == flat["address"].value
    left, came = before.fields["lived-there-until"].value, flat["lived-there-from"].value
    assert isinstance(left, date)
    assert isinstance(came, date)
    assert left < came
    ties = {str(record.fields["relation"].value) for record in population.fetch(mother, ["relation"])}
    assert ties == {"laps"}
    assert "abikaasa" in {record.fields["relation"].value for record in population.fetch(tenant, ["relation"])}


def test_the_curious_clerk_lives_next_door(people: list[Person]) -> None:
    homes = {person.persona: person.home for person in people if person.persona}
    assert abs(homes[TOWN_CLERK].number - homes[NEIGHBOUR].number) == 1
    assert homes[TOWN_CLERK].street_and_house.split("-")[0] == homes[NEIGHBOUR].street_and_house.split("-")[0]


def test_an_interrupted_build_leaves_no_registry_behind(tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(_what: str, done: int, _total: int) -> None:
        if done > 100:
            raise Interrupted

    with pytest.raises(Interrupted):
        build_registries(tmp_path, Country(400, TODAY), interrupt)
    assert not any(file.exists() for file in registry_files(tmp_path))
    build_registries(tmp_path, Country(400, TODAY), lambda *_: None)
    assert all(file.exists() for file in registry_files(tmp_path))
    assert not list(tmp_path.glob("*.partial"))
