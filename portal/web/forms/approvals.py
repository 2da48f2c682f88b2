"""What a second person answers."""

from __future__ import annotations

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput
from wtforms import RadioField
from wtforms.validators import InputRequired

from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import lazy_gettext as _l

APPROVE, REFUSE = "approve", "refuse"


class DecisionForm(HouseForm):
    answer = RadioField(
        _l("Does this reason need these fields?"),
        choices=choices([(APPROVE, _l("Yes, I approve.")), (REFUSE, _l("No, I refuse."))]),
        validators=[InputRequired(_l("Say whether you approve."))],
        widget=GovRadioInput(),
    )
