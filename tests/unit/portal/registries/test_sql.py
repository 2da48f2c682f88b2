"""The connector reads what the description says, only that, and tells nothing when it cannot."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from portal.domain.identifiers import PersonalCode
from portal.registries import sql
from portal.registries.catalogue import Catalogue, CatalogueError, SourceKind, load_catalogue
from portal.registries.connector import RegistryUnavailable
from portal.registries.records import FieldValue, Record
from portal.registries.sql import SqlConnector, build_connectors

SHIPPED = Path(__file__).parents[4] / "config"
MARY = PersonalCode.parse("60001019906")
JUHAN = PersonalCode.parse("38001085718")
NOBODY = PersonalCode.parse("37605030299")

#: The tables of four registries as their descriptions know them, in SQL that SQLite and PostgreSQL both take.
TABLES = f"""
CREATE TABLE isikute_nimekiri (omaniku_nr INTEGER, isikukood VARCHAR(11), nimi VARCHAR(99));
CREATE TABLE kinnistu (kinnistu_nr VARCHAR(9), lahiaadress VARCHAR(99), pindala_ha NUMERIC(9, 4),
  sihtotstarve VARCHAR(20), ida_m NUMERIC(9, 1), pohi_m NUMERIC(9, 1));
CREATE TABLE omandiosa (osa_nr INTEGER, omaniku_nr INTEGER, kinnistu_nr VARCHAR(9), osa VARCHAR(9), kande_kuupaev DATE);
CREATE TABLE hypoteek (kinnistu_nr VARCHAR(9), summa NUMERIC(12, 2), hypoteegipidaja VARCHAR(99));
INSERT INTO isikute_nimekiri VALUES (7, '{MARY.reveal()}', 'Mari'), (9, '{MARY.reveal()}', 'Mari'),
  (8, '{JUHAN.reveal()}', 'J');
INSERT INTO kinnistu VALUES ('K1', 'Tamme 1', 0.25, 'elamumaa', 650000, 6500000),
  ('K2', 'Metsa 2', 12.5, 'maatulundus', NULL, NULL), ('K3', 'X', 1, 'x', 1, 1);
INSERT INTO omandiosa VALUES (1, 7, 'K1', '1/1', '2019-05-06'),
  (2, 9, 'K2', '1/2', '2023-01-02'), (3, 8, 'K3', '1/1', '2020-01-01');
INSERT INTO hypoteek VALUES ('K1', 90000, 'Pank');

CREATE TABLE omanik (omanik_id INTEGER, isiku_kood VARCHAR(11), nimi VARCHAR(99));
CREATE TABLE soiduk (soiduk_id INTEGER, reg_mark VARCHAR(9), mark VARCHAR(20), mudel VARCHAR(20),
  esmane_reg_aasta INTEGER);
CREATE TABLE omandisuhe (suhe_id INTEGER, omanik_id INTEGER, soiduk_id INTEGER, suhte_liik VARCHAR(1),
  kehtiv_alates DATE, kehtiv_kuni DATE);
CREATE TABLE ylevaatus (soiduk_id INTEGER, kehtib_kuni DATE);
INSERT INTO omanik VALUES (1, '{MARY.reveal()}', 'Mari'), (2, '{JUHAN.reveal()}', 'Juhan');
INSERT INTO soiduk VALUES (10, '123 ABC', 'Volvo', 'V60', 2015), (11, '456 DEF', 'Kia', 'Ceed', 2020),
  (12, '1 X', 'Y', 'Z', 1);
INSERT INTO omandisuhe VALUES (1, 1, 10, 'O', '2015-06-01', NULL), (2, 1, 11, 'K', '2020-02-03', '2024-01-01'),
  (3, 2, 12, 'O', '2001-01-01', NULL);
INSERT INTO ylevaatus VALUES (10, '2026-05-05');

CREATE TABLE maksuaasta (mk_tunnus VARCHAR(13), aasta INTEGER, tulu_kokku NUMERIC(12, 2), tulumaks NUMERIC(12, 2),
  tagastus NUMERIC(12, 2), esitatud DATE);
CREATE TABLE toetus (toetus_id INTEGER, mk_tunnus VARCHAR(13), toetuse_liik VARCHAR(20), summa_kuus NUMERIC(12, 2),
  makstakse_alates DATE, makstakse_kuni DATE, staatus VARCHAR(20));
CREATE TABLE leibkonna_seos (seos_id INTEGER, mk_tunnus VARCHAR(13), partneri_nimi VARCHAR(99), seose_liik VARCHAR(20),
  aadress VARCHAR(99), allikas VARCHAR(4), vaste_kindlus REAL, seisuga DATE);
INSERT INTO maksuaasta VALUES ('{MARY.subject}', 2023, 10000.5, 500, -12.3, '2024-03-01'),
  ('{MARY.subject}', 2024, 1, 0, 0, NULL);
INSERT INTO leibkonna_seos VALUES
  (1, '{MARY.subject}', 'Bought', 'sama_aadress', 'Tamme 1', 'OST', 0.41, '2025-02-01'),
  (2, '{MARY.subject}', 'Married', 'abielu', 'Tamme 1', 'RR', 0.99, '2024-02-01'),
  (3, '{MARY.subject}', 'Unknown', 'abielu', 'Tamme 1', NULL, NULL, '2023-02-01');
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(SHIPPED)


@pytest.fixture
def filled_url(database_url: str) -> str:
    return filled(database_url)


def filled(url: str) -> str:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in TABLES.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
    engine.dispose()
    return url


@contextmanager
def connected(catalogue: Catalogue, registry: str, url: str) -> Iterator[SqlConnector]:
    connector = build_connectors(catalogue, Path("nowhere"), {registry: url})[registry]
    assert isinstance(connector, SqlConnector)
    yield connector
    connector.close()


@contextmanager
def statements_of(connector: SqlConnector) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(connector._engine, "before_cursor_execute", note)
    yield seen


def values(records: Sequence[Record]) -> list[dict[str, Any]]:
    return [{code: value.value for code, value in record.fields.items()} for record in records]


def change(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_local_number_is_resolved_from_the_personal_code_first(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "land", filled_url) as land:
        records = land.fetch(MARY, ["property-number", "area", "ownership-share", "mortgage-amount"])
        assert values(records) == [
            {"property-number": "K2", "area": Decimal("12.5"), "ownership-share": "1/2", "mortgage-amount": None},
            {
                "property-number": "K1",
                "area": Decimal("0.25"),
                "ownership-share": "1/1",
                "mortgage-amount": Decimal("90000.00"),
            },
        ]
        assert records[0].fields["area"].as_of == date(2023, 1, 2)
        assert land.count(MARY) == 2


def test_joined_tables_give_one_record_for_each_row_what_still_holds_first(
    catalogue: Catalogue, filled_url: str
) -> None:
    with connected(catalogue, "vehicles", filled_url) as vehicles:
        records = vehicles.fetch(
            MARY, ["registration-number", "first-registered", "owned-until", "inspection-valid-until"]
        )
    assert values(records) == [
        {
            "registration-number": "123 ABC",
            "first-registered": 2015,
            "owned-until": None,
            "inspection-valid-until": date(2026, 5, 5),
        },
        {
            "registration-number": "456 DEF",
            "first-registered": 2020,
            "owned-until": date(2024, 1, 1),
            "inspection-valid-until": None,
        },
    ]
    assert [record.fields["owned-until"].as_of for record in records] == [date(2015, 6, 1), date(2020, 2, 3)]


def test_a_prefixed_key_finds_rows_newest_first_and_money_has_two_places(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "tax-benefits", filled_url) as tax:
        records = tax.fetch(MARY, ["tax-year", "declared-income", "tax-refund", "declared-on"])
        assert [record["tax-year"] for record in values(records)] == [2024, 2023]
        assert str(records[1].fields["declared-income"].value) == "10000.50"
        assert str(records[1].fields["tax-refund"].value) == "-12.30"
        assert records[1].fields["declared-on"].value == date(2024, 3, 1)
        assert tax.count(MARY) == 5


def test_each_row_tells_its_own_source_and_only_bought_data_have_a_confidence(
    catalogue: Catalogue, filled_url: str
) -> None:
    with connected(catalogue, "tax-benefits", filled_url) as tax:
        bought, married, unknown = (record.fields["partner-name"] for record in tax.fetch(MARY, ["partner-name"]))
    assert (bought.source.kind, bought.confidence, bought.as_of) == (
        SourceKind.PURCHASED,
        pytest.approx(0.41),
        date(2025, 2, 1),
    )
    assert bought.source.name == catalogue.organisations["credit-reference"].name
    assert (married.source.kind, married.confidence) == (SourceKind.REGISTRY, None)
    assert married.source.name == catalogue.registries["population"].name
    assert (unknown.source.kind, unknown.confidence, unknown.as_of) == (SourceKind.OWN, None, date(2023, 2, 1))


@pytest.mark.parametrize("registry", ["land", "vehicles", "tax-benefits"])
def test_nothing_is_held_on_a_stranger(catalogue: Catalogue, filled_url: str, registry: str) -> None:
    with connected(catalogue, registry, filled_url) as connector:
        assert connector.fetch(NOBODY, list(catalogue.registries[registry].fields)) == ()
        assert connector.count(NOBODY) == 0


def test_columns_that_were_not_asked_for_are_not_selected(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "land", filled_url) as land, statements_of(land) as seen:
        land.fetch(MARY, ["area"])
    selected = [statement.split("FROM")[0] for statement, _ in seen]
    assert "omaniku_nr" in selected[0]
    assert "pindala_ha" in selected[1]
    for column in ("summa", "hypoteegipidaja", "lahiaadress", "sihtotstarve", "osa ", "nimi", "*"):
        assert column not in selected[1]


def test_tables_of_other_kinds_of_record_are_left_alone(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "tax-benefits", filled_url) as tax, statements_of(tax) as seen:
        tax.fetch(MARY, ["tax-year"])
    assert "maksuaasta" in seen[-1][0]
    assert not any("leibkonna_seos" in statement or "toetus" in statement for statement, _ in seen)


def test_no_field_asked_for_is_no_question_asked(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "tax-benefits", filled_url) as tax, statements_of(tax) as seen:
        assert tax.fetch(MARY, []) == ()
    assert seen == []


@pytest.mark.parametrize("registry", ["land", "tax-benefits"])
@pytest.mark.parametrize(
    "hostile",
    ["' OR '1'='1", "x'; DROP TABLE maksuaasta; --", '" OR ""="', "%", "60001019906' UNION SELECT 1 --", "\\"],
)
def test_a_subject_is_bound_and_never_part_of_the_statement(
    catalogue: Catalogue, filled_url: str, registry: str, hostile: str
) -> None:
    """`parse` lets no such text through; should something else ever make one, it finds nobody."""
    with connected(catalogue, registry, filled_url) as connector, statements_of(connector) as seen:
        assert connector.fetch(PersonalCode(hostile), list(catalogue.registries[registry].fields)) == ()
        assert connector.count(PersonalCode(hostile)) == 0
        assert connector.count(MARY) > 0
    assert not any(hostile in statement or MARY.reveal() in statement for statement, _ in seen if len(hostile) > 1)


def test_the_database_cannot_be_written_through_a_connector(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "land", filled_url) as land:
        for statement in ("DELETE FROM omandiosa", "CREATE TABLE mine (a INTEGER)", "DROP TABLE hypoteek"):
            with pytest.raises(DBAPIError), land._engine.begin() as connection:
                connection.execute(text(statement))
        assert land.count(MARY) == 2


@pytest.mark.postgres
def test_postgresql_ends_a_statement_that_takes_too_long(catalogue: Catalogue, postgres_url: str) -> None:
    with connected(catalogue, "land", postgres_url) as land, land._engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5s"


def test_a_registry_answers_a_ping(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "land", filled_url) as land:
        land.ping()


def assert_tells_nothing(error: RegistryUnavailable, registry: str) -> None:
    assert str(error) == f"the registry {registry} gave no answer"
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://user:hunter2@127.0.0.1:1/registry"],
    ids=["file", "server"],
)
def test_a_database_out_of_reach_is_an_outcome_without_the_drivers_words(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    with connected(catalogue, "land", url) as land:
        for ask in (lambda: land.fetch(MARY, ["area"]), lambda: land.count(MARY), land.ping):
            with caplog.at_level(logging.DEBUG), pytest.raises(RegistryUnavailable) as caught:
                ask()
            assert_tells_nothing(caught.value, "land")
    assert "hunter2" not in caplog.text
    assert MARY.reveal() not in caplog.text
    told = [record for record in caplog.records if record.name == "portal.registries.sql"]
    assert {(record.registry, record.cause) for record in told} == {("land", "OperationalError")}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("registry", "spoil"),
    [
        ("land", "DROP TABLE hypoteek"),
        ("land", "ALTER TABLE kinnistu RENAME COLUMN pindala_ha TO pindala"),
        ("tax-benefits", "UPDATE leibkonna_seos SET allikas = 'NEW'"),
        ("tax-benefits", "UPDATE leibkonna_seos SET vaste_kindlus = 41"),
    ],
)
def test_an_answer_that_is_not_as_described_is_no_answer(
    catalogue: Catalogue, filled_url: str, registry: str, spoil: str
) -> None:
    change(filled_url, spoil)
    with connected(catalogue, registry, filled_url) as connector, pytest.raises(RegistryUnavailable) as caught:
        connector.fetch(MARY, list(catalogue.registries[registry].fields))
    assert_tells_nothing(caught.value, registry)


def test_a_value_that_is_no_day_appears_in_no_message(
    catalogue: Catalogue, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    change(filled(sqlite_url), "UPDATE maksuaasta SET esitatud = 'divorced'")
    with (
        connected(catalogue, "tax-benefits", sqlite_url) as tax,
        caplog.at_level(logging.DEBUG),
        pytest.raises(RegistryUnavailable) as caught,
    ):
        tax.fetch(MARY, ["declared-on"])
    assert_tells_nothing(caught.value, "tax-benefits")
    assert "divorced" not in caplog.text


def test_more_rows_than_one_person_can_have_are_refused_and_not_cut_short(
    catalogue: Catalogue, filled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "MAXIMUM_ROWS", 1)
    with connected(catalogue, "tax-benefits", filled_url) as tax, pytest.raises(RegistryUnavailable):
        tax.fetch(MARY, ["tax-year"])


def test_a_field_that_does_not_exist_is_the_callers_mistake(catalogue: Catalogue, filled_url: str) -> None:
    with connected(catalogue, "land", filled_url) as land, pytest.raises(KeyError):
        land.fetch(MARY, ["shoe-size"])


def test_building_connectors_connects_to_nothing_and_makes_no_file(catalogue: Catalogue, tmp_path: Path) -> None:
    connectors = build_connectors(catalogue, tmp_path, {"land": "postgresql+psycopg://nobody@127.0.0.1:1/x"})
    assert list(connectors) == list(catalogue.registries)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"moon": "sqlite:///x.db"}, "registry_urls.moon: there is no registry of this code"),
        ({"land": "hunter2 is no URL"}, "registry_urls.land: is no database URL"),
        ({"land": "sqlite://"}, "registry_urls.land: is no database URL"),
        ({"land": "nosuchdb://u:hunter2@h/x"}, "registry_urls.land: is no database URL"),
        ({"land": "mysql+mysqldb://u:hunter2@h/x"}, "registry_urls.land: the driver"),
    ],
)
def test_a_wrong_address_is_named_by_its_setting_and_never_repeated(
    catalogue: Catalogue, tmp_path: Path, overrides: dict[str, str], what: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        build_connectors(catalogue, tmp_path, overrides)
    assert what in str(caught.value)
    assert "hunter2" not in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_asked_for_exactly_that_is_given(catalogue: Catalogue, tmp_path: Path, data: st.DataObject) -> None:
    file = tmp_path / "property.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        filled(url)
    fields = catalogue.registries["tax-benefits"].fields
    asked = data.draw(st.lists(st.sampled_from(list(fields)), unique=True))
    with connected(catalogue, "tax-benefits", url) as tax:
        records = tax.fetch(MARY, asked)
    kinds = {fields[code].record for code in asked}
    for record in records:
        assert set(record.fields) <= set(asked)
        assert {fields[code].record for code in record.fields} <= kinds
    held = {code for code in asked if fields[code].record != "benefit"}
    assert {code for record in records for code in record.fields} == held


def test_a_record_and_its_values_show_nothing_of_themselves() -> None:
    value = FieldValue(
        "a secret", load_catalogue(SHIPPED).registries["land"].fields["area"].source, 0.5, date(2020, 1, 1)
    )
    assert "secret" not in repr(value)
    assert "secret" not in repr(Record({"area": value}))
    assert "area" in repr(Record({"area": value}))
