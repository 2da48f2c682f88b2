"""What an auditor looks for. The search is posted: a personal code must never stand in an address."""

from __future__ import annotations

from collections.abc import Mapping

from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from portal.domain.identifiers import PersonalCode
from portal.domain.text import LocalizedText
from portal.registries.catalogue import Catalogue
from portal.services.exporting.formats import ExportFormat
from portal.services.oversight import TrailSearch
from portal.web.formatting import day, masked
from portal.web.forms.fields import DayField, HouseForm, choices, not_before, personal_code
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.wording import ACTIONS, OUTCOMES, ROLE_OF_ONE

TEXT_LENGTH = 100
_YES_OR_NO = {"yes": True, "no": False}


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
    role = SelectField(_l("Role"), default="", widget=GovSelect())
    field = SelectField(_l("Field"), default="", widget=GovSelect())
    automatic = SelectField(_l("Who looked"), default="", widget=GovSelect())
    break_glass = SelectField(_l("In an emergency (break-glass)"), default="", widget=GovSelect())
    sealed = SelectField(_l("Withheld from the person by a seal"), default="", widget=GovSelect())
    case = StringField(
        _l("Case reference"), filters=[_stripped], validators=[Length(max=TEXT_LENGTH)], widget=GovTextInput()
    )
    action = SelectField(_l("What was done"), default="", widget=GovSelect())
    outcome = SelectField(_l("How it ended"), default="", widget=GovSelect())
    since = DayField(_l("From"))
    until = DayField(
        _l("Until"), validators=[not_before("since", _l("The last day must not be before the first day."))]
    )
    #: The person is the one of this saved search, or of the entry behind this reference; and so with the official.
    saved = HiddenField()
    like = HiddenField()
    by = HiddenField()
    before = HiddenField()
    format = HiddenField()

    def __init__(self, catalogue: Catalogue, *asked: MultiDict[str, str]) -> None:
        super().__init__(*asked)
        self.organisation.choices = _named({code: known.name for code, known in catalogue.organisations.items()})
        self.purpose.choices = _named({code: known.name for code, known in catalogue.purposes.items()})
        self.registry.choices = _named({code: known.name for code, known in catalogue.registries.items()})
        self.action.choices = choices([("", _l("Anything")), *((term.value, words) for term, words in ACTIONS.items())])
        self.outcome.choices = choices(
            [("", _l("Any way")), *((term.value, words) for term, words in OUTCOMES.items())]
        )
        self.role.choices = choices([("", _l("All")), *((role.value, words) for role, words in ROLE_OF_ONE.items())])
        self.field.choices = _fields(catalogue)
        self.automatic.choices = choices([("", _l("Anybody")), ("no", _l("A person")), ("yes", _l("A system"))])
        for either in (self.break_glass, self.sealed):
            either.choices = choices([("", _l("Either")), ("yes", _l("Yes")), ("no", _l("No"))])

    def validate_field(self, field: Field) -> None:
        registry = self.registry.data
        if field.data and registry and field.data.partition(".")[0] != registry:
            raise ValidationError(_("This field is of another registry. Choose one of the two."))

    def wanted(self) -> TrailSearch:
        """Only after the form was found valid."""
        return TrailSearch(
            organisation=self.organisation.data or None,
            official=self.official.data or None,
            purpose=self.purpose.data or None,
            role=self.role.data or None,
            registry=self.registry.data or None,
            field=self.field.data or None,
            case=self.case.data or None,
            action=self.action.data or None,
            outcome=self.outcome.data or None,
            automatic=_YES_OR_NO.get(self.automatic.data),
            break_glass=_YES_OR_NO.get(self.break_glass.data),
            sealed=_YES_OR_NO.get(self.sealed.data),
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
        if self.saved.data or self.like.data:
            said.append((_("Person"), _("the same as there, not shown")))
        if self.by.data:
            said.append((_("Official"), _("the same as there, not shown")))
        for field in self._simple():
            if field.data:
                words = {choice.value: str(choice.label) for choice in getattr(field, "choices", ())}
                said.append((field.label.text, words.get(field.data, field.data)))
        return said + [(field.label.text, day(field.data)) for field in (self.since, self.until) if field.data]

    def criteria(self) -> list[tuple[str, str]]:
        """The search as hidden fields, for the next page and for the export of the same result."""
        days = [(field.name, part) for field in (self.since, self.until) for part in field.typed]
        fields = (self.subject, *self._simple(), self.saved, self.like, self.by)
        return [(field.name, field.data or "") for field in fields] + days

    def _simple(self) -> list[Field]:
        return [
            self.organisation, self.official, self.role, self.purpose, self.registry, self.field, self.case,
            self.action, self.outcome, self.automatic, self.break_glass, self.sealed,
        ]  # fmt: skip


def _named(texts: Mapping[str, LocalizedText]) -> list[SelectChoice]:
    known = sorted(((code, local(text)) for code, text in texts.items()), key=lambda pair: pair[1])
    return choices([("", _l("All")), *known])


def _fields(catalogue: Catalogue) -> list[SelectChoice]:
    """Every field of every registry, the registry's name before it."""
    known = sorted(
        (f"{local(registry.name)}: {local(one.name)}", f"{registry.code}.{code}")
        for registry in catalogue.registries.values()
        for code, one in registry.fields.items()
    )
    return choices([("", _l("All")), *((value, words) for words, value in known)])
