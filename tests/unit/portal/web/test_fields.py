"""The fields of forms, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import flask_babel
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from portal.web.forms import init_forms
from portal.web.forms.fields import AskingForm, DayField, not_before, personal_code


class Question(AskingForm):
    since = DayField("From")
    until = DayField("Until", validators=[not_before("since", "too early")])
    code = StringField("Code", validators=[personal_code])


def application() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "for this test"
    flask_babel.Babel(app, default_locale="en")
    init_forms(app)
    return app


@pytest.fixture
def app() -> Iterator[Flask]:
    app = application()
    with app.test_request_context():
        yield app


def asked(*since: str, until: tuple[str, ...] = (), code: str = "38001085718") -> Question:
    pairs = [("since", part) for part in since] + [("until", part) for part in until]
    form = Question(MultiDict([*pairs, ("code", code)]))
    form.validate()
    return form


@given(day=st.dates(min_value=date(1900, 1, 1), max_value=date(9999, 12, 31)))
def test_every_day_of_the_calendar_can_be_typed(day: date) -> None:
    with application().test_request_context():
        form = asked(str(day.day), str(day.month), str(day.year))
        assert form.since.data == day
        assert not form.errors


@given(parts=st.lists(st.text(max_size=6), max_size=5))
def test_whatever_is_typed_gives_a_day_nothing_or_a_message(parts: list[str]) -> None:
    with application().test_request_context():
        form = asked(*parts)
        assert form.since.errors or form.since.data is None or isinstance(form.since.data, date)


@pytest.mark.parametrize(
    "parts", [("1", "", "2026"), ("", "3", ""), ("31", "2", "2026"), ("1", "1", "26"), ("x", "y", "z"), ("0", "0", "0")]
)
def test_what_is_no_day_is_refused_and_kept_as_typed(app: Flask, parts: tuple[str, ...]) -> None:
    form = asked(*parts)
    assert form.errors["since"]
    assert form.since.typed == parts
    page = str(form.since())
    assert all(f'value="{part}"' in page for part in parts if part)


def test_three_empty_boxes_mean_no_day(app: Flask) -> None:
    assert asked("", "", "").since.data is None


def test_the_last_day_is_not_before_the_first(app: Flask) -> None:
    first = date(2026, 3, 5)
    for days, refused in ((-1, True), (0, False), (1, False)):
        last = first + timedelta(days=days)
        form = asked("5", "3", "2026", until=(str(last.day), str(last.month), str(last.year)))
        assert bool(form.errors) is refused


def test_the_error_summary_leads_to_the_first_box(app: Flask) -> None:
    assert 'id="since"' in str(asked("1", "", "").since())


@pytest.mark.parametrize("typed", ["", "3800108571", "38001085719", "EE", "<script>", "３８００１０８５７１８"])
def test_what_is_no_personal_code_is_refused_without_repeating_it(app: Flask, typed: str) -> None:
    messages = asked(code=typed).errors["code"]
    assert messages
    assert not typed or all(typed not in message for message in messages)
