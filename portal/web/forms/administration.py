"""What administrators say when they invite, move, close, reopen and recover accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextArea, GovTextInput
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from portal.domain.actors import Role
from portal.domain.purposes import Organisation
from portal.domain.staff import STAFF_ROLES, Standing
from portal.services.administration import NAME_LENGTH, REASON_LENGTH, Invitation
from portal.services.staff_accounts import AccountFilter
from portal.web.forms.fields import AskingForm, HouseForm, choices, one_line
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.staff_wording import STANDINGS
from portal.web.wording import ROLE_OF_ONE

_LEAST_REASON = 10


class AccountFilterForm(AskingForm):
    name = StringField(_l("Name"), filters=[one_line], widget=GovTextInput())
    role = SelectField(_l("Role"), default="", widget=GovSelect())
    organisation = SelectField(_l("Organisation"), default="", widget=GovSelect())
    standing = SelectField(_l("How it stands"), default="", widget=GovSelect())

    def __init__(self, asked: MultiDict[str, str], organisations: Iterable[Organisation]) -> None:
        super().__init__(asked)
        everything = [("", _l("All"))]
        self.role.choices = choices([*everything, *_roles()])
        self.organisation.choices = choices([*everything, *_named(organisations)])
        self.standing.choices = choices([*everything, *((term.value, words) for term, words in STANDINGS.items())])

    def wanted(self, page: int) -> AccountFilter:
        return AccountFilter(
            name=(self.name.data or "")[:NAME_LENGTH],
            role=Role(self.role.data) if self.role.data else None,
            organisation=self.organisation.data or None,
            standing=Standing(self.standing.data) if self.standing.data else None,
            page=page,
        )

    def criteria(self) -> dict[str, str]:
        """What was asked, for the links to other pages of the same list."""
        return {field.name: field.data for field in self if field.data}


class ReasonedForm(HouseForm):
    """A form that changes an account, and says why: the log keeps it."""

    reason = TextAreaField(
        _l("Why"),
        description=_l("The other administrators and the auditors read it. For example the number of the order."),
        validators=[
            DataRequired(_l("Say why.")),
            Length(min=_LEAST_REASON, message=_l("Say a little more: at least %(min)d characters.")),
            Length(max=REASON_LENGTH, message=_l("The reason is too long: at most %(max)d characters.")),
        ],
        filters=[one_line],
        widget=GovTextArea(),
    )

    def standing_apart(self, name: str) -> Self:
        """The same form with ids of its own, for a page that holds several."""
        self.reason.id = self.reason.label.field_id = f"{name}-reason"
        return self


class RightsForm(ReasonedForm):
    role = SelectField(_l("Role"), validators=[DataRequired(_l("Choose a role."))], widget=GovSelect())
    organisation = SelectField(
        _l("Organisation"), validators=[DataRequired(_l("Choose an organisation."))], widget=GovSelect()
    )

    def __init__(self, organisations: Iterable[Organisation], role: str = "", organisation: str = "") -> None:
        super().__init__(data={"role": role, "organisation": organisation})
        nothing = [("", _l("Choose"))]
        self.role.choices = choices([*nothing, *_roles()])
        self.organisation.choices = choices([*nothing, *_named(organisations)])


class InvitationForm(RightsForm):
    name = StringField(
        _l("Full name"),
        description=_l("As colleagues know the person. It stands in the log beside everything they do."),
        validators=[DataRequired(_l("Enter the name.")), Length(max=NAME_LENGTH, message=_l("The name is too long."))],
        filters=[one_line],
        widget=GovTextInput(),
    )

    def invitation(self) -> Invitation:
        """Only after the form was found valid."""
        return Invitation(self.name.data, Role(self.role.data), self.organisation.data, self.reason.data)


def _roles() -> list[tuple[str, str]]:
    return [(role.value, ROLE_OF_ONE[role]) for role in STAFF_ROLES]


def _named(organisations: Iterable[Organisation]) -> list[tuple[str, str]]:
    return sorted(((known.code, local(known.name)) for known in organisations), key=lambda pair: pair[1])
