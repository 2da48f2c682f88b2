"""What a person says of how they are told: an address, and for each topic how soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from wtforms import BooleanField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired

from portal.domain.mail import Cadence, InvalidMailAddress, MailAddress
from portal.services.mail.addresses import Told
from portal.services.mail.choices import Choice, Topic, time_zones
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import LANGUAGE_NAMES
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

CADENCES = {
    Cadence.AT_ONCE: _l("At once"),
    Cadence.DAILY: _l("Once a day"),
    Cadence.WEEKLY: _l("Once a week"),
    Cadence.NEVER: _l("Never"),
}


class AddressForm(HouseForm):
    address = StringField(
        _l("Your e-mail address"),
        description=_l("We send it a link. It is used only after you have opened that link."),
        validators=[DataRequired(_l("Enter your e-mail address."))],
        widget=GovTextInput(),
    )

    def validate_address(self, field: StringField) -> None:
        try:
            MailAddress.parse(field.data or "")
        except InvalidMailAddress:
            raise ValidationError(_("Enter an e-mail address like name@example.ee.")) from None

    def wanted(self) -> MailAddress:
        return MailAddress.parse(self.address.data)


class ChoicesForm(HouseForm):
    """`rows` are the topics with their two fields each; `for_topics` gives a form for the topics of the house."""

    language = SelectField(_l("Language of the e-mails"), choices=choices(LANGUAGE_NAMES.items()), widget=GovSelect())
    zone = SelectField(
        _l("Time zone"),
        widget=GovSelect(),
        description=_l("Collected e-mails leave at 8 in the morning, weekly ones on Monday."),
    )

    topics: Mapping[str, Topic] = {}

    @classmethod
    def for_topics(cls, topics: Mapping[str, Topic]) -> type[ChoicesForm]:
        fields: dict[str, Any] = {"topics": topics}
        for number, topic in enumerate(topics.values()):
            fields[f"mail_{number}"] = SelectField(
                _l("By e-mail"), choices=choices(CADENCES.items()), widget=GovSelect()
            )
            if not topic.is_essential:
                fields[f"portal_{number}"] = BooleanField()
        return type("ChoicesFormOfTheHouse", (cls,), fields)

    def show(self, told: Told) -> None:
        self.language.data, self.zone.data = told.language, told.zone
        for number, code in enumerate(self.topics):
            self[f"mail_{number}"].data = told.choices[code].cadence.value
            if f"portal_{number}" in self:
                self[f"portal_{number}"].data = told.choices[code].in_portal

    def offer_zones(self) -> None:
        self.zone.choices = choices((zone, zone.replace("_", " ")) for zone in time_zones())

    def rows(self) -> list[tuple[Topic, Any, Any]]:
        return [
            (topic, self[f"mail_{number}"], getattr(self, f"portal_{number}", None))
            for number, topic in enumerate(self.topics.values())
        ]

    def wanted(self) -> dict[str, Choice]:
        return {
            topic.code: Choice(Cadence(mail.data), in_portal=shown is None or bool(shown.data))
            for topic, mail, shown in self.rows()
        }
