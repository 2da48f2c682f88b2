"""What a supervisor and an auditor say about an access, and when somebody is away."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSelect, GovTextArea
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.services.accounts import TeamMember
from portal.web.forms.fields import DayField, HouseForm, choices, not_before
from portal.web.i18n import lazy_gettext as _l

REASON_LENGTH = 1000
LEAST_REASON = 20
_TOO_SHORT = _l("Write at least %(least)s characters, so that others understand it.", least=LEAST_REASON)


class EscalationForm(HouseForm):
    reason = TextAreaField(
        _l("Why should an auditor look at it?"),
        description=_l("Say what does not fit. Leave out names and personal codes of the people concerned."),
        validators=[
            DataRequired(_l("Say why an auditor should look at it.")),
            Length(min=LEAST_REASON, message=_TOO_SHORT),
            Length(max=REASON_LENGTH, message=_l("The reason is too long.")),
        ],
        filters=[lambda text: " ".join((text or "").split())],
        widget=GovTextArea(),
    )


class VerdictForm(HouseForm):
    verdict = RadioField(
        _l("What did you find?"),
        choices=choices((("misuse", _l("It was misuse")), ("cleared", _l("It was in order")))),
        validators=[InputRequired(_l("Choose what you found."))],
        widget=GovRadioInput(),
    )
    finding = TextAreaField(
        _l("What does that rest on?"),
        validators=[
            DataRequired(_l("Say what your finding rests on.")),
            Length(min=LEAST_REASON, message=_TOO_SHORT),
            Length(max=REASON_LENGTH, message=_l("The reason is too long.")),
        ],
        filters=[lambda text: " ".join((text or "").split())],
        widget=GovTextArea(),
    )


class AbsenceForm(HouseForm):
    official = SelectField(_l("Official"), widget=GovSelect(), validate_choice=False)
    first = DayField(_l("First day away"), validators=[InputRequired(_l("Enter the first day."))])
    last = DayField(
        _l("Last day away"),
        validators=[
            InputRequired(_l("Enter the last day.")),
            not_before("first", _l("The last day must not be before the first day.")),
        ],
    )

    def __init__(self, team: Iterable[TeamMember]) -> None:
        super().__init__()
        self.official.choices = choices((member.account_id, member.name) for member in team)
