"""How values, times and codes are written for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import flask_babel
import pytest
from flask import Flask

from portal.domain.text import LocalizedText
from portal.registries.description import ColumnName, Field, FieldType, Source, SourceKind
from portal.registries.records import FieldValue, Record, Value
from portal.web import formatting
from portal.web.shown_records import shown_records

OWN = Source(SourceKind.OWN)
BOUGHT = Source(SourceKind.PURCHASED, LocalizedText("A seller", "Müüja", "Продавец"))


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask(__name__)
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Tallinn"
    flask_babel.Babel(app, default_locale="en")
    with app.test_request_context():
        yield app


def field(code: str, kind: FieldType = FieldType.TEXT, **values: LocalizedText) -> Field:
    name = LocalizedText(f"{code} name", f"{code} nimi", f"{code} имя")
    return Field(code, name, name, OWN, False, kind, "record", ColumnName("t", code), values)


def test_a_moment_is_told_in_the_zone_and_words_of_the_reader(app: Flask) -> None:
    when = datetime(2026, 11, 24, 11, 57, tzinfo=UTC)
    told = {}
    for language in ("en", "et", "ru"):
        with flask_babel.force_locale(language):
            told[language] = formatting.moment(when)
    assert told == {
        "en": "24 November 2026, 13:57",
        "et": "24. november 2026, 13:57",
        "ru": "24 ноября 2026\u202fг., 13:57",
    }


def test_a_moment_late_in_the_evening_belongs_to_the_readers_day(app: Flask) -> None:
    assert formatting.day(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == "1 July 2026"


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (None, FieldType.TEXT, "not stated"),
        ("", FieldType.TEXT, "not stated"),
        (True, FieldType.BOOLEAN, "Yes"),
        (False, FieldType.BOOLEAN, "No"),
        (1994, FieldType.INTEGER, "1994"),
        (Decimal("1234.50"), FieldType.MONEY, "€1,234.50"),
        (Decimal("12.345"), FieldType.DECIMAL, "12.345"),
        (date(1980, 1, 8), FieldType.DATE, "8 January 1980"),
        ("<b>", FieldType.TEXT, "<b>"),
    ],
)
def test_a_held_value_is_written_as_people_write_it(app: Flask, value: Value, kind: FieldType, written: str) -> None:
    assert formatting.held(FieldValue(value, OWN), field("x", kind)) == written


def test_a_stored_code_is_put_into_words(app: Flask) -> None:
    described = field("state", m=LocalizedText("married", "abielus", "в браке"))
    with flask_babel.force_locale("et"):
        assert formatting.held(FieldValue("m", OWN), described) == "abielus"


def test_a_masked_code_shows_its_end_only(app: Flask) -> None:
    assert formatting.masked("EE38001085718") == "•••5718"
    assert formatting.masked(None) == "nobody in particular"


def test_what_was_bought_stands_first_and_tells_its_origin_once(app: Flask) -> None:
    fields = [field("year"), field("partner"), field("ground")]
    own = Record({"year": FieldValue(2025, OWN)})
    bought = Record(
        {"partner": FieldValue("N. N.", BOUGHT, 0.41), "ground": FieldValue("address", BOUGHT, 0.41)},
    )
    first, second = shown_records([own, bought], fields)
    assert first.title == "partner name: N. N."
    assert first.is_bought
    assert first.origin is not None
    assert first.origin.confidence == 0.41
    assert second.title == "year name: 2025"
    assert not second.is_bought


def test_values_of_several_origins_each_tell_their_own(app: Flask) -> None:
    mixed = Record({"year": FieldValue(2025, OWN), "partner": FieldValue("N. N.", BOUGHT, 0.41)})
    (shown,) = shown_records([mixed], [field("year"), field("partner")])
    assert shown.origin is None
    assert shown.is_bought


def test_a_field_is_explained_once_on_a_page(app: Flask) -> None:
    years = [Record({"year": FieldValue(year, OWN)}) for year in (2025, 2024)]
    first, second = shown_records(years, [field("year")])
    assert [part.explains for part in first.fields] == [True]
    assert [part.explains for part in second.fields] == [False]
