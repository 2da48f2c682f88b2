"""What a database gives is read as what the description says it is, or refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.registries.description import FieldType
from portal.registries.values import as_date, confidence_of, value_of


@pytest.mark.parametrize("kind", list(FieldType))
def test_nothing_stays_nothing(kind: FieldType) -> None:
    assert value_of(kind, None) is None


@given(st.dates())
def test_a_day_is_the_same_whether_stored_as_date_time_or_text(day: date) -> None:
    midday = datetime(day.year, day.month, day.day, 12, 30)  # noqa: DTZ001 - as databases without zones give it
    assert as_date(day) == as_date(day.isoformat()) == as_date(midday) == as_date(midday.isoformat(" ")) == day


@given(st.integers(-(10**11), 10**11))
def test_money_survives_a_database_that_has_only_floats(cents: int) -> None:
    stored = cents / 100
    assert value_of(FieldType.MONEY, stored) == Decimal(cents) / 100
    assert str(value_of(FieldType.MONEY, stored)).partition(".")[2] != ""


@pytest.mark.parametrize(
    ("kind", "stored", "expected"),
    [
        (FieldType.TEXT, 7, "7"),
        (FieldType.INTEGER, "2024", 2024),
        (FieldType.INTEGER, Decimal("2024"), 2024),
        (FieldType.DECIMAL, 0.5, Decimal("0.5")),
        (FieldType.BOOLEAN, 1, True),
        (FieldType.BOOLEAN, False, False),
    ],
)
def test_a_stored_value_becomes_its_kind(kind: FieldType, stored: Any, expected: Any) -> None:
    value = value_of(kind, stored)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (FieldType.INTEGER, 1.5),
        (FieldType.INTEGER, "many"),
        (FieldType.INTEGER, float("inf")),
        (FieldType.MONEY, "a lot"),
        (FieldType.DATE, "31.12.2024"),
        (FieldType.BOOLEAN, "yes"),
    ],
)
def test_what_is_not_of_its_kind_is_refused(kind: FieldType, stored: Any) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        value_of(kind, stored)


@pytest.mark.parametrize("stored", [-0.1, 1.01, 41, float("nan")])
def test_a_confidence_outside_its_scale_is_refused(stored: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        confidence_of(stored)
