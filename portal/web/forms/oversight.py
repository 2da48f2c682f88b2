"""What an auditor looks for. The search is posted: a personal code must never stand in an address."""

from __future__ import annotations

from collections.abc import Mapping

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from wtforms import Field, HiddenField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, Optional

from portal.domain.identifiers import PersonalCode
from portal.domain.text import LocalizedText
from portal.registries.catalogue import Catalogue
from portal.services.exporting.formats import ExportFormat
from portal.services.oversight import TrailSearch
from portal.web.formatting import day, masked
from portal.web.forms.fields import DayField, HouseForm, choices, not_before, personal_code
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.wording import ACTIONS, OUTCOMES

TEXT_LENGTH = 100


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class SearchForm(HouseForm):
    subject = StringField(
        _l("Personal code of the person looked at"), validators=[Optional(), personal_code], widget=GovTextInput()
    )
    organisation = SelectField(_l("Organisation that looked"), default="", widget=GovSelect())
    official = StringField(
        _l("Official"),
        description=_l("The account’s identifier, as an entry shows it"),
        filters=[_stripped],
        validators=[Length(max=TEXT_LENGTH)],
        widget=GovTextInput(),
    )
    purpose = SelectField(_l("Purpose"), default="", widget=GovSelect())
    registry = SelectField(_l("Registry"), default="", widget=GovSelect())
    case = StringField(
        _l("Case reference"), filters=[_stripped], validators=[Length(max=TEXT_LENGTH)], widget=GovTextInput()
    )
    action = SelectField(_l("What was done"), default="", widget=GovSelect())
    outcome = SelectField(_l("How it ended"), default="", widget=GovSelect())
    since = DayField(_l("From"))
    until = DayField(
        _l("Until"), validators=[not_before("since", _l("The last day must not be before the first day."))]
    )
    before = HiddenField()
    format = HiddenField()

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.organisation.choices = _named({code: known.name for code, known in catalogue.organisations.items()})
        self.purpose.choices = _named({code: known.name for code, known in catalogue.purposes.items()})
        self.registry.choices = _named({code: known.name for code, known in catalogue.registries.items()})
        self.action.choices = choices([("", _l("Anything")), *((term.value, words) for term, words in ACTIONS.items())])
        self.outcome.choices = choices(
            [("", _l("Any way")), *((term.value, words) for term, words in OUTCOMES.items())]
        )

    def wanted(self) -> TrailSearch:
        """Only after the form was found valid."""
        return TrailSearch(
            organisation=self.organisation.data or None,
            official=self.official.data or None,
            purpose=self.purpose.data or None,
            registry=self.registry.data or None,
            case=self.case.data or None,
            action=self.action.data or None,
            outcome=self.outcome.data or None,
            since=self.since.data,
            until=self.until.data,
            subject=PersonalCode.parse(self.subject.data) if self.subject.data else None,
        )

    def export_format(self) -> ExportFormat | None:
        """The format asked for, or None when there is no such format."""
        return ExportFormat(self.format.data) if self.format.data in set(ExportFormat) else None

    def in_words(self) -> list[tuple[str, str]]:
        """What was asked, label and words, for the reader to see above the result. A personal code is masked."""
        said = [(self.subject.label.text, masked(self.subject.data))] if self.subject.data else []
        for field in self._simple():
            if field.data:
                words = {choice.value: str(choice.label) for choice in getattr(field, "choices", ())}
                said.append((field.label.text, words.get(field.data, field.data)))
        return said + [(field.label.text, day(field.data)) for field in (self.since, self.until) if field.data]

    def criteria(self) -> list[tuple[str, str]]:
        """The search as hidden fields, for the next page and for the export of the same result."""
        days = [(field.name, part) for field in (self.since, self.until) for part in field.typed]
        return [(field.name, field.data or "") for field in (self.subject, *self._simple())] + days

    def _simple(self) -> list[Field]:
        return [self.organisation, self.official, self.purpose, self.registry, self.case, self.action, self.outcome]


def _named(texts: Mapping[str, LocalizedText]) -> list[SelectChoice]:
    known = sorted(((code, local(text)) for code, text in texts.items()), key=lambda pair: pair[1])
    return choices([("", _l("All")), *known])
