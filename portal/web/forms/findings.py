"""What an auditor writes into a finding, and an official in answer."""

from __future__ import annotations

from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovTextArea
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.domain.findings import Sanction, Verdict
from portal.services.justification import tidied
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import lazy_gettext as _l
from portal.web.wording import SANCTIONS, VERDICTS

LONGEST = 2000


def _written(label: object, empty: object) -> TextAreaField:
    return TextAreaField(
        label,
        filters=[lambda text: tidied(text or "")],
        validators=[DataRequired(empty), Length(max=LONGEST, message=_l("The text is too long."))],
        widget=GovTextArea(),
    )


class OpenFindingForm(HouseForm):
    entry = HiddenField(validators=[InputRequired()])
    text = _written(_l("What seems wrong about it?"), _l("Say what seems wrong, so that somebody else can follow it."))


class QuestionForm(HouseForm):
    text = _written(_l("Your question to the official"), _l("Write the question."))


class StatementForm(HouseForm):
    text = _written(_l("Your statement"), _l("Write your statement."))


class DecisionForm(HouseForm):
    verdict = RadioField(
        _l("Was it misuse?"), validators=[InputRequired(_l("Choose what the review came to."))], widget=GovRadioInput()
    )
    sanction = RadioField(_l("What follows for the official?"), default=Sanction.NONE.value, widget=GovRadioInput())
    text = _written(_l("The reasons"), _l("Give the reasons for the decision."))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.verdict.choices = choices((verdict.value, VERDICTS[verdict]) for verdict in Verdict)
        self.sanction.choices = choices((sanction.value, SANCTIONS[sanction]) for sanction in Sanction)


class ClosingForm(HouseForm):
    text = _written(_l("How it ended"), _l("Say how it ended."))


class PlainForm(HouseForm):
    """A button: only the mark against forgery."""
