"""What an order to withhold looks says, and what is said before a record is opened under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Organisation, Purpose
from portal.services.policy import Decision
from portal.services.seals import SealFault, SealOrder, SealRefused
from portal.web.formatting import day
from portal.web.forms.casework import CASE_LENGTH, ReasonForm
from portal.web.forms.fields import DayField, HouseForm, choices, personal_code, plain_reference
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

NAME_LENGTH, ORDER_LENGTH, SHORTEST_NAME = 200, 100, 5

_FIELD_OF_FAULT = {
    SealFault.PURPOSE: "purpose",
    SealFault.AUTHORITY: "authority",
    SealFault.OWN_RECORD: "personal_code",
}


def _folded(text: str | None) -> str:
    return " ".join((text or "").split())


class SealForm(HouseForm):
    purpose = SelectField(_l("Purpose of the investigation"), widget=GovSelect())
    personal_code = StringField(
        _l("Personal code"),
        description=_l("The eleven digits of the person whom the order names."),
        validators=[DataRequired(_l("Enter the personal code.")), personal_code],
        widget=GovTextInput(),
    )
    case = StringField(
        _l("Case reference"),
        filters=[_folded],
        validators=[
            DataRequired(_l("Enter the reference of the case. A seal needs one.")),
            Length(max=CASE_LENGTH, message=_l("The case reference is too long.")),
            plain_reference,
        ],
        widget=GovTextInput(),
    )
    authority = SelectField(_l("Which authority ordered it?"), widget=GovSelect())
    ordered_by = StringField(
        _l("Who signed the order?"),
        description=_l("Name and office, as they stand on the order."),
        filters=[_folded],
        validators=[
            DataRequired(_l("Enter the name and office of the official who signed the order.")),
            Length(min=SHORTEST_NAME, max=NAME_LENGTH, message=_l("Write the name and office in full.")),
        ],
        widget=GovTextInput(),
    )
    order = StringField(
        _l("Reference of the order"),
        filters=[_folded],
        validators=[
            DataRequired(_l("Enter the reference of the order.")),
            Length(max=ORDER_LENGTH, message=_l("The reference of the order is too long.")),
        ],
        widget=GovTextInput(),
    )
    until = DayField(_l("Last day of the seal"))

    def __init__(self, purposes: Iterable[Purpose], organisations: Mapping[str, Organisation], latest: date) -> None:
        super().__init__()
        purposes = list(purposes)
        self.purpose.choices = choices((purpose.code, local(purpose.name)) for purpose in purposes)
        codes = dict.fromkeys(code for known in purposes if known.sealing for code in known.sealing.authorities)
        self.authority.choices = choices(
            [("", _l("Choose")), *((code, local(organisations[code].name)) for code in codes)]
        )
        self.authority.validators = [DataRequired(_l("Choose the authority that ordered it."))]
        self.until.description = _("No later than %(day)s.", day=day(latest))
        self.until.validators = [DataRequired(_l("Enter the last day of the seal. There is none without an end."))]

    def wanted(self) -> SealOrder:
        """Only after the form was found valid."""
        assert self.until.data is not None  # noqa: S101 - see above
        return SealOrder(
            purpose=self.purpose.data,
            subject=PersonalCode.parse(self.personal_code.data),
            case=self.case.data,
            authority=self.authority.data,
            ordered_by=self.ordered_by.data,
            order=self.order.data,
            until=self.until.data,
        )

    def show(self, refusal: SealRefused) -> None:
        """Put the refusal beside what can be mended."""
        self[_FIELD_OF_FAULT.get(refusal.fault, "until")].errors = [in_words(refusal)]


class ProlongForm(HouseForm):
    until = DayField(
        _l("New last day of the seal"), validators=[DataRequired(_l("Enter the new last day of the seal."))]
    )

    def __init__(self, latest: date) -> None:
        super().__init__()
        self.until.description = _("No later than %(day)s.", day=day(latest))


class UnderSealForm(ReasonForm):
    """A reason and the registries: whom, for what and in which case the seal has settled."""

    def __init__(self, offers: Iterable[Decision]) -> None:
        super().__init__(offers, case_required=False)
        del self.personal_code
        del self.case
        self.justification.description = _(
            "The person can read this when the seal ends. Say what you are finding out and why it needs these data."
        )


def in_words(refusal: SealRefused) -> str:
    if refusal.fault is SealFault.UNTIL_TOO_FAR and refusal.latest is not None:
        return _("A seal may last until %(day)s at the latest.", day=day(refusal.latest))
    return {
        SealFault.PURPOSE: _("The law knows no seal for this purpose."),
        SealFault.AUTHORITY: _("This authority cannot order a seal for this purpose."),
        SealFault.OWN_RECORD: _("You cannot seal looks at your own record."),
        SealFault.UNTIL_PAST: _("The last day must not be over."),
        SealFault.UNTIL_NOT_LATER: _("The new last day must be later than the present one."),
    }.get(refusal.fault, _("The seal has ended. What it withheld has been shown to the person."))
