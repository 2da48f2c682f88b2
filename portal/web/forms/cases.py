"""Opening a record from a case, and handing over cases in a file."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovFileInput, GovRadioInput, GovTextInput
from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired

from portal.services.cases import AssignedCase
from portal.services.policy import Decision
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local


class CaseOpeningForm(HouseForm):
    person = RadioField(
        _l("Whose record do you need?"),
        validators=[InputRequired(_l("Choose the person."))],
        validate_choice=False,  # nobody of this case is nobody at all: the service answers as for what is not there
        widget=GovRadioInput(),
    )
    registries = SelectMultipleField(
        _l("Which registries do you need?"),
        description=_l("Open no more than the case needs. Each registry is logged."),
        validators=[InputRequired(_l("Choose at least one registry."))],
        validate_choice=False,  # a registry that was not offered is the policy's to refuse: its refusal is an entry
        widget=GovCheckboxesInput(),
    )
    justification = StringField(
        _l("Note on this look (optional)"),
        description=_l("The case is reason enough. The person can read what you write here."),
        widget=GovTextInput(),
    )
    #: The purpose that the page showed.
    purpose = HiddenField()

    def __init__(self, case: AssignedCase, offers: Iterable[Decision]) -> None:
        super().__init__()
        self.person.choices = choices((person.person_id, person.code.reveal()) for person in case.people)
        self.registries.choices = choices((offer.registry.code, local(offer.registry.name)) for offer in offers)


class CaseFileForm(HouseForm):
    file = FileField(
        _l("File of cases (CSV)"),
        validators=[FileRequired(_l("Choose the file."))],
        widget=GovFileInput(),
    )
