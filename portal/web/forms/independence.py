"""For what an auditor wants to see who people are."""

from __future__ import annotations

from govuk_frontend_wtf.wtforms_widgets import GovTextArea
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from portal.web.forms.fields import HouseForm
from portal.web.forms.oversight import SearchForm
from portal.web.i18n import lazy_gettext as _l

_SHORTEST, _LONGEST = 10, 1000


def _reason() -> TextAreaField:
    return TextAreaField(
        _l("Why do you need to see who they are?"),
        description=_l("Everybody whom this shows sees in their own log that you did, and the other auditors do too."),
        filters=[lambda text: (text or "").strip()],
        validators=[
            DataRequired(_l("Say why you need to see who they are.")),
            Length(min=_SHORTEST, max=_LONGEST, message=_l("Say it in a sentence, of 10 to 1,000 characters.")),
        ],
        widget=GovTextArea(),
    )


class RevealForm(HouseForm):
    reason = _reason()


class ExportForm(SearchForm):
    """The search itself, hidden, the format, whether people are to be named, and then the reason."""

    names = HiddenField()
    #: "yes" once the page that asks for the reason was shown.
    is_asked = HiddenField()
    reason = _reason()


class RevealPageForm(SearchForm):
    """The search itself, hidden, and the reason."""

    reason = _reason()
