"""The filter of a person's own history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import Length

from portal.domain.actions import Outcome
from portal.domain.text import LocalizedText
from portal.services.trail import Choices, TrailFilter
from portal.services.understanding.kinds import Kind
from portal.web.forms.fields import AskingForm, DayField, choices, not_before
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

_LONGEST_CASE = 100


class FilterForm(AskingForm):
    kind = SelectField(
        _l("Who looked"),
        choices=choices(
            (
                ("", _l("Everybody else (people and systems)")),
                (Kind.HUMAN.value, _l("Only people")),
                (Kind.AUTOMATIC.value, _l("Only systems")),
                (Kind.OWN.value, _l("Only I myself")),
                (Kind.MANDATE.value, _l("Only representatives and mandates")),
                (Kind.CHECK.value, _l("The portal’s checks before a look")),
            )
        ),
        default="",
        widget=GovSelect(),
    )
    organisation = SelectField(_l("Organisation"), default="", widget=GovSelect())
    purpose = SelectField(_l("Purpose"), default="", widget=GovSelect())
    registry = SelectField(_l("Registry"), default="", widget=GovSelect())
    field = SelectField(_l("Field"), default="", widget=GovSelect())
    outcome = SelectField(
        _l("How it ended"),
        choices=choices(
            (
                ("", _l("All")),
                (Outcome.RELEASED.value, _l("Shown")),
                (Outcome.DENIED.value, _l("Refused")),
                (Outcome.FAILED.value, _l("No answer")),
            )
        ),
        default="",
        widget=GovSelect(),
    )
    case = StringField(
        _l("Case"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[Length(max=_LONGEST_CASE)],
        widget=GovTextInput(),
    )
    since = DayField(_l("From"))
    until = DayField(
        _l("Until"), validators=[not_before("since", _l("The last day must not be before the first day."))]
    )

    def __init__(self, asked: MultiDict[str, str], known: Choices) -> None:
        super().__init__(asked)
        self.organisation.choices = _offered((body.code, body.name) for body in known.organisations)
        self.purpose.choices = _offered((purpose.code, purpose.name) for purpose in known.purposes)
        self.registry.choices = _offered((registry.code, registry.name) for registry in known.registries)
        fields = [
            (f"{registry.code}/{field.code}", f"{local(registry.name)}: {local(field.name)}")
            for registry, field in known.fields
        ]
        self.field.choices = choices([("", _l("All")), *fields])

    def validate(self, extra_validators: Any = None) -> bool:
        """A field belongs to one registry: another one beside it can never match, which is told and not searched."""
        is_valid = super().validate(extra_validators)
        if is_valid and self.registry.data and self._field()[0] not in (None, self.registry.data):
            self.field.errors = [*self.field.errors, _("This field is in another registry than the one you chose.")]
            return False
        return is_valid

    def wanted(self) -> TrailFilter:
        registry, field = self._field()
        return TrailFilter(
            organisation=self.organisation.data or None,
            purpose=self.purpose.data or None,
            registry=registry or self.registry.data or None,
            field=field,
            case=self.case.data or None,
            outcome=Outcome(self.outcome.data) if self.outcome.data else None,
            since=self.since.data,
            until=self.until.data,
            kind=Kind(self.kind.data) if self.kind.data else None,
        )

    def _field(self) -> tuple[str | None, str | None]:
        registry, _slash, field = (self.field.data or "").partition("/")
        return (registry, field) if field else (None, None)


def _offered(known: Iterable[tuple[str, LocalizedText]]) -> list[SelectChoice]:
    return choices([("", _l("All")), *((code, local(name)) for code, name in known)])
