"""An auditor's note that a person was in the news."""

from __future__ import annotations

from govuk_frontend_wtf.wtforms_widgets import GovTextArea, GovTextInput
from wtforms import Field, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, StopValidation

from portal.web.forms.fields import DayField, HouseForm, personal_code
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

_SHORTEST, _LONGEST = 5, 500


class NewsForm(HouseForm):
    subject = StringField(_l("Personal code"), validators=[Optional(), personal_code], widget=GovTextInput())
    day = DayField(_l("In the news since"))
    words = TextAreaField(
        _l("What was in the news, and where"),
        description=_l("The person sees these words in their own log, and the other auditors do too."),
        filters=[lambda text: (text or "").strip()],
        validators=[
            DataRequired(_l("Say what was in the news.")),
            Length(min=_SHORTEST, max=_LONGEST, message=_l("Say it in 5 to 500 characters.")),
        ],
        widget=GovTextArea(),
    )
    #: The person is the one of the entry behind this reference.
    like = HiddenField()

    def validate_day(self, field: Field) -> None:
        if field.data is None and not field.errors:
            raise StopValidation(_("Say since when."))

    def validate_like(self, field: Field) -> None:
        if not field.data and not self.subject.data:
            self.subject.errors = [*self.subject.errors, _("Enter the personal code of the person in the news.")]
            raise StopValidation(_("Nobody was named."))
