"""The filter of a person's own history."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovSelect
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from portal.domain.purposes import Organisation, Purpose
from portal.services.trail import Kind, TrailFilter
from portal.web.forms.fields import AskingForm, DayField, choices, not_before
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local


class FilterForm(AskingForm):
    kind = SelectField(
        _l("Who looked"),
        choices=choices(
            (
                ("", _l("Everybody else (people and systems)")),
                (Kind.HUMAN.value, _l("Only people")),
                (Kind.AUTOMATIC.value, _l("Only systems")),
                (Kind.OWN.value, _l("Only I myself")),
                (Kind.CHECK.value, _l("The portal’s checks before a look")),
            )
        ),
        default="",
        widget=GovSelect(),
    )
    organisation = SelectField(_l("Organisation"), default="", widget=GovSelect())
    purpose = SelectField(_l("Purpose"), default="", widget=GovSelect())
    since = DayField(_l("From"))
    until = DayField(
        _l("Until"), validators=[not_before("since", _l("The last day must not be before the first day."))]
    )

    def __init__(
        self, asked: MultiDict[str, str], organisations: Iterable[Organisation], purposes: Iterable[Purpose]
    ) -> None:
        super().__init__(asked)
        anything = [("", _l("All"))]
        self.organisation.choices = choices([*anything, *((known.code, local(known.name)) for known in organisations)])
        self.purpose.choices = choices([*anything, *((known.code, local(known.name)) for known in purposes)])

    def wanted(self) -> TrailFilter:
        return TrailFilter(
            organisation=self.organisation.data or None,
            purpose=self.purpose.data or None,
            since=self.since.data,
            until=self.until.data,
            kind=Kind(self.kind.data) if self.kind.data else None,
        )
