"""What a person writes when they contest a decision before it takes effect."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput
from wtforms import RadioField
from wtforms.validators import InputRequired

from portal.services.decisions.own import Objection
from portal.web.forms.disputes import MessageForm
from portal.web.forms.fields import choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

_DECISION_ITSELF = "decision"


class ObjectionForm(MessageForm):
    """One of the values it rests on, or the decision itself; and why."""

    about = RadioField(
        _l("What is wrong?"),
        validators=[InputRequired(_l("Choose what is wrong."))],
        widget=GovRadioInput(),
    )

    def __init__(self, values: Iterable[tuple[str, str]], chosen: str | None = None) -> None:
        super().__init__()
        offered = [*values, (_DECISION_ITSELF, _("The data are right, but the decision is wrong"))]
        self.about.choices = choices(offered)
        self.text.label.text = _("Why?")
        self.text.description = _("Say what is wrong and how it should be. Do not write about anybody else.")
        if self.about.data is None and chosen in {value for value, _words in offered}:
            self.about.data = chosen

    def objection(self) -> Objection:
        """Only after the form was found valid."""
        ground = None if self.about.data == _DECISION_ITSELF else self.about.data
        return Objection(ground, self.text.data)
