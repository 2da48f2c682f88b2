"""What a person says who gives a mandate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovTextInput
from wtforms import Field, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from portal.domain.identifiers import PersonalCode
from portal.domain.mandates import MandateFault, MandateRefused
from portal.registries.catalogue import Registry
from portal.services.mandates.desk import NewMandate
from portal.web.formatting import day
from portal.web.forms.fields import DayField, HouseForm, choices, one_line, personal_code
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.mandate_wording import FAULTS

NAME_LENGTH = 100
_FIELD_OF_FAULT = {
    MandateFault.SELF: "personal_code",
    MandateFault.SCOPE: "registries",
    MandateFault.PAST: "until",
    MandateFault.TOO_LONG: "until",
    MandateFault.TOO_MANY: "personal_code",
}


class MandateForm(HouseForm):
    personal_code = StringField(
        _l("Personal code of the person who may look for you"),
        description=_l("Eleven digits. We do not tell you whether the code is anybody’s, so check each of them."),
        validators=[DataRequired(_l("Enter the personal code.")), personal_code],
        widget=GovTextInput(),
    )
    called = StringField(
        _l("What you call this person"),
        description=_l("For your own list, such as “my sister Ann”. Only you see it."),
        filters=[one_line],
        validators=[
            DataRequired(_l("Write a name by which you will know this mandate again.")),
            Length(max=NAME_LENGTH, message=_l("The name is too long.")),
        ],
        widget=GovTextInput(),
    )
    registries = SelectMultipleField(
        _l("Which registries may they look at?"),
        description=_l("They see everything that a registry holds on you, and who looked at it."),
        validators=[DataRequired(FAULTS[MandateFault.SCOPE])],
        widget=GovCheckboxesInput(),
    )
    until = DayField(_l("Last day of the mandate"))

    def __init__(self, registries: Iterable[Registry], latest: date) -> None:
        super().__init__()
        self.registries.choices = choices((registry.code, local(registry.name)) for registry in registries)
        self.latest = latest

    def validate_until(self, field: Field) -> None:
        if field.data is None:
            raise ValidationError(_("Enter the last day. It can be %(latest)s at the latest.", latest=day(self.latest)))

    def wanted(self) -> NewMandate:
        """Only after the form was found valid."""
        assert self.until.data is not None  # noqa: S101 - see validate_until
        return NewMandate(
            receiver=PersonalCode.parse(self.personal_code.data),
            called=self.called.data,
            registries=tuple(self.registries.data),
            until=self.until.data,
        )

    def show(self, refused: MandateRefused) -> None:
        field = self[_FIELD_OF_FAULT[refused.fault]]
        field.errors = [*field.errors, str(FAULTS[refused.fault])]
