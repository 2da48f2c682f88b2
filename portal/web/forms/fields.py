"""Fields that several forms share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from govuk_frontend_wtf.gov_form_base import GovFormBase
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import (
    Field,
    FieldList,
    Form,
    FormField,
    MultipleFileField,
    SelectChoice,
    SelectMultipleField,
    ValidationError,
)
from wtforms.validators import StopValidation

from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.references import is_plain_reference
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce
from portal.web.i18n import gettext as _

_PARTS = 3
_OLDEST_YEAR = 1900


class HouseForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """What every form here does: each field is taken once, and what no field asks for is ignored and told.

    Two values for one field mean that two readers could each take another one (HTTP parameter pollution); a field that
    the form does not have (`role`, `visibility`, `subject`) is what an attempt at mass assignment looks like.
    """

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # as above
        def wrap_formdata(self, form: Form, formdata: Any) -> Any:
            """What was sent as a form, and no JSON: Flask-WTF would take that as well."""
            if formdata is not _Auto:
                return formdata
            return CombinedMultiDict((request.files, request.form)) if form.is_submitted() else None

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid: bool = super().validate(extra_validators)
        known = {"csrf_token", *(field.name for field in self)}  # a form with a prefix has the token besides
        if request.method == "POST" and (unknown := set(request.form) - known):
            announce(SecurityEvent.UNEXPECTED_INPUT, endpoint=request.endpoint, fields=len(unknown))
        repeated = [field for field in self if not _takes_several(field) and len(field.raw_data or ()) > 1]
        for field in repeated:
            field.errors = [*field.errors, _("This was given more than once. Give one answer.")]
        return is_valid and not repeated


def _takes_several(field: Field) -> bool:
    return isinstance(field, DayField | FieldList | FormField | MultipleFileField | SelectMultipleField)


class AskingForm(HouseForm):
    """A form that only asks a question of a page and travels in its address: it changes nothing, so needs no token."""

    class Meta(HouseForm.Meta):
        csrf = False

    def __init__(self, asked: MultiDict[str, str]) -> None:
        super().__init__(asked)


def choices(named: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Pairs of code and words as WTForms wants them."""
    return [SelectChoice(code, words) for code, words in named]


class DayInput(GovFormBase):  # type: ignore[misc]  # govuk-frontend-wtf ships no types
    """Three boxes for a day, with labels in the reader's language (govuk-frontend-wtf's own are English only)."""

    template = "govuk_frontend_wtf/date.html"

    def __call__(self, field: DayField, **kwargs: Any) -> str:
        kwargs.setdefault("id", field.id)
        rendered: str = super().__call__(field, **kwargs)
        return rendered

    def map_gov_params(self, field: DayField, **kwargs: Any) -> dict[str, Any]:
        params: dict[str, Any] = super().map_gov_params(field, **kwargs)
        boxes = zip(("", "-month", "-year"), (_("Day"), _("Month"), _("Year")), (2, 2, 4), field.typed, strict=True)
        params["id"] = f"{field.id}-boxes"
        params["fieldset"] = {"legend": {"text": field.label.text, "classes": "govuk-fieldset__legend--s"}}
        params["items"] = [
            {
                # The first box carries the field's own id: that is where the error summary leads.
                "id": f"{field.id}{ending}",
                "name": field.name,
                "label": label,
                "value": typed,
                "classes": f"govuk-input--width-{width}" + (" govuk-input--error" if field.errors else ""),
            }
            for ending, label, width, typed in boxes
        ]
        return params


class DayField(Field):  # type: ignore[misc]  # WTForms ships no types
    """A day typed as day, month and year; None when all three are empty."""

    widget = DayInput()

    def __init__(self, label: Any = None, validators: Iterable[Any] = (), **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.typed: tuple[str, ...] = ("",) * _PARTS

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.typed = (*(part.strip()[:4] for part in valuelist[:_PARTS]), *("",) * (_PARTS - len(valuelist)))
        if not any(self.typed):
            self.data = None
            return
        if not all(self.typed):
            raise ValueError(_("Enter the day, the month and the year, or leave all three empty."))
        day, month, year = self.typed
        try:
            self.data = date(int(year), int(month), int(day))
        except ValueError:
            raise ValueError(_("This is no day of the calendar. Write it like 27 3 2026.")) from None
        if self.data.year < _OLDEST_YEAR:
            raise ValueError(_("Write the year with four digits, like 2026."))


def not_before(other: str, message: Any) -> Callable[[Form, Field], None]:
    """This day is not before the day in field `other`."""

    def check(form: Form, field: Field) -> None:
        first = form[other].data
        if field.data is not None and first is not None and field.data < first:
            raise ValidationError(str(message))

    return check


def personal_code(form: Form, field: Field) -> None:
    """The text is a personal code. Its message never repeats what was typed."""
    try:
        PersonalCode.parse(field.data or "")
    except InvalidPersonalCode:
        raise StopValidation(
            _("This is not a valid personal code. It has eleven digits; check each of them.")
        ) from None


def plain_reference(form: Form, field: Field) -> None:
    """Letters of the Latin alphabet, digits 0 to 9 and the signs - / . : only, so that no two references look alike."""
    if not is_plain_reference(field.data or ""):
        raise StopValidation(_("A reference holds letters of the Latin alphabet, digits and the signs - / . : _ only."))


def one_line(text: str | None) -> str:
    """A filter: white space of every kind becomes one space, and none stays at the ends."""
    return " ".join((text or "").split())
