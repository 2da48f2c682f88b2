"""What a caseworker says before a record opens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovCharacterCount, GovCheckboxesInput, GovRadioInput, GovTextInput
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.services.circumstances import Opening
from portal.services.justification import Weakness
from portal.services.policy import Decision
from portal.web.forms.fields import AskingForm, HouseForm, choices, personal_code, plain_reference
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.wording import WEAKNESSES

CASE_LENGTH = 64


class PurposeForm(AskingForm):
    purpose = RadioField(
        _l("Why do you need a person’s data?"),
        validators=[InputRequired(_l("Choose the purpose for which you need the data."))],
        widget=GovRadioInput(),
    )

    def __init__(self, asked: MultiDict[str, str], purposes: Iterable[Purpose]) -> None:
        super().__init__(asked)
        self.purpose.choices = choices((purpose.code, local(purpose.name)) for purpose in purposes)


class ReasonForm(HouseForm):
    personal_code = StringField(
        _l("Personal code"),
        description=_l("The eleven digits of the person whose record you need. There is no search by name."),
        validators=[DataRequired(_l("Enter the personal code.")), personal_code],
        widget=GovTextInput(),
    )
    case = StringField(
        _l("Case reference"),
        validators=[
            Length(max=CASE_LENGTH, message=_l("The case reference is too long.")),
            plain_reference,
        ],
        filters=[lambda text: " ".join((text or "").split())],
        widget=GovTextInput(),
    )
    justification = TextAreaField(
        _l("Why do you need to see this record?"),
        description=_l("The person can read this. Say what you are deciding and what you need to find out."),
        widget=GovCharacterCount(),
    )
    registries = SelectMultipleField(
        _l("Which registries do you need?"),
        description=_l("Open no more than the case needs. Each registry is logged."),
        validators=[InputRequired(_l("Choose at least one registry."))],
        validate_choice=False,  # a registry that was not offered is the policy's to refuse: its refusal is an entry
        widget=GovCheckboxesInput(),
    )

    def __init__(self, offers: Iterable[Decision], *, case_required: bool) -> None:
        super().__init__()
        self.registries.choices = choices((offer.registry.code, local(offer.registry.name)) for offer in offers)
        if case_required:
            self.case.validators = [
                DataRequired(_l("Enter the reference of the case. This purpose needs one.")),
                *self.case.validators,
            ]
        else:
            self.case.label.text = _l("Case reference (if there is one)")

    def validate(self, extra_validators: Any = None) -> bool:
        """An empty reason is named beside other mistakes; alone it goes to the service, whose refusal is an entry."""
        is_valid: bool = super().validate(extra_validators)
        if not is_valid and not (self.justification.data or "").strip():
            self.justification.errors = [WEAKNESSES[Weakness.EMPTY]]
        return is_valid

    def opening(self, purpose: str) -> Opening:
        """Only after the form was found valid."""
        return Opening(
            subject=PersonalCode.parse(self.personal_code.data),
            purpose=purpose,
            registries=tuple(self.registries.data),
            case=self.case.data or None,
            justification=self.justification.data or "",
        )
