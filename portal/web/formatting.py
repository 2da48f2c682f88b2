"""How times, numbers and a registry's values are written for a reader, in the reader's language and zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask
from flask_babel import format_datetime, get_locale, to_user_timezone

from portal.domain.text import LANGUAGES
from portal.registries.description import Field, FieldType
from portal.registries.records import FieldValue
from portal.web.i18n import gettext as _
from portal.web.i18n import language, local

#: English dates as people here say them; CLDR's "long" is American for plain "en".
_DAY_PATTERNS = {"en": "d MMMM y"}
#: In which the registries hold money.
CURRENCY = "EUR"
_SHOWN_OF_A_CODE = 4


def init_formatting(app: Flask) -> None:
    filters: dict[str, Callable[..., str]] = {
        "day": day,
        "moment": moment,
        "month": month,
        "short_month": short_month,
        "grouped": grouped,
        "rounded": lambda number: grouped(rounded(number)),
        "percent": percent,
        "held": held,
        "masked": masked,
    }
    for name, written in filters.items():
        app.add_template_filter(written, name)


def day(when: date) -> str:
    """24 November 2026."""
    if isinstance(when, datetime):
        when = to_user_timezone(when).date()
    return format_date(when, format=_DAY_PATTERNS.get(language(), "long"), locale=_locale())


def moment(when: datetime) -> str:
    """24 November 2026, 13:57, in the zone of the settings."""
    return _("%(day)s, %(time)s", day=day(when), time=format_datetime(when, "HH:mm"))


def month(first_day: date) -> str:
    """November 2026."""
    return format_date(first_day, format="LLLL y", locale=_locale())


def short_month(first_day: date) -> str:
    """Nov."""
    return format_date(first_day, format="LLL", locale=_locale()).removesuffix(".")


def grouped(number: int) -> str:
    return format_decimal(number, locale=_locale())


def rounded(number: int) -> int:
    """An estimate with two digits of it: whoever reads more believes more."""
    return round(number, -max(0, len(str(number)) - 2))


def percent(share: float) -> str:
    """0.41 as 41 %, the way the language writes it."""
    return format_percent(share, locale=_locale())


def held(found: FieldValue, described: Field) -> str:
    """What a registry holds in one field. Whole numbers stay as they are: most of them are years or identifiers."""
    value = found.value
    if value is None or value == "":
        return _("not stated")
    if (words := described.values.get(str(value))) is not None:
        return local(words)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Decimal):
        if described.type is FieldType.MONEY:
            return format_currency(value, CURRENCY, locale=_locale())
        return format_decimal(value, locale=_locale(), decimal_quantization=False)
    return day(value) if isinstance(value, date) else str(value)


def masked(subject: str | None) -> str:
    """The end of a personal code: enough to tell two apart on a page, not enough to carry away."""
    if not subject:
        return _("nobody in particular")
    return f"•••{subject[-_SHOWN_OF_A_CODE:]}"


def _locale() -> str:
    return str(get_locale() or LANGUAGES[0])
