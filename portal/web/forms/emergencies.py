"""What is said before the glass is broken, and what a supervisor says afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovTextArea
from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import Registry
from portal.services.emergencies import Declaration, ReviewVerdict
from portal.web.forms.casework import ReasonForm
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

NOTE_LENGTH, SHORTEST_NOTE = 1000, 20


class EmergencyForm(ReasonForm):
    def __init__(self, registries: Iterable[Registry]) -> None:
        super().__init__((), case_required=False)
        del self.case
        self.registries.choices = choices((registry.code, local(registry.name)) for registry in registries)
        self.justification.label.text = _("What is the emergency?")
        self.justification.description = _("Who is in danger and what you must find out. The person reads this.")

    def declaration(self) -> Declaration:
        """Only after the form was found valid."""
        return Declaration(
            subject=PersonalCode.parse(self.personal_code.data),
            registries=tuple(self.registries.data),
            reason=self.justification.data or "",
        )


class ReviewForm(HouseForm):
    verdict = RadioField(
        _l("Was it an emergency?"),
        choices=choices(
            [
                (ReviewVerdict.CONFIRMED, _l("Yes. The access was in order.")),
                (ReviewVerdict.ESCALATED, _l("No, or not certainly. It goes to the auditor.")),
            ]
        ),
        validators=[InputRequired(_l("Say whether it was an emergency."))],
        widget=GovRadioInput(),
    )
    note = TextAreaField(
        _l("What did you find?"),
        description=_l("The person whose data it was can read this."),
        validators=[Length(min=SHORTEST_NOTE, max=NOTE_LENGTH, message=_l("Write 20 to 1,000 characters."))],
        widget=GovTextArea(),
    )
