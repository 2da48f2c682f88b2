"""What is asked of an auditor who keeps a search."""

from __future__ import annotations

from govuk_frontend_wtf.wtforms_widgets import GovTextArea, GovTextInput
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from portal.web.forms.fields import HouseForm, one_line
from portal.web.forms.oversight import SearchForm
from portal.web.i18n import lazy_gettext as _l

_NAME, _REASON = 100, 1000


def _name() -> StringField:
    return StringField(
        _l("Name of the search"),
        description=_l("By which you and your colleagues find it again. Name no person."),
        filters=[one_line],
        validators=[DataRequired(_l("Give the search a name.")), Length(max=_NAME)],
        widget=GovTextInput(),
    )


class NameForm(HouseForm):
    search_name = _name()


class SaveForm(SearchForm):
    """The search itself, hidden, and what it is kept as."""

    search_name = _name()
    reason = TextAreaField(
        _l("What is it for?"),
        filters=[lambda text: (text or "").strip()],
        validators=[DataRequired(_l("Say what the search is for.")), Length(max=_REASON)],
        widget=GovTextArea(),
    )


class ColleagueForm(HouseForm):
    account = HiddenField()
