"""What is said before the records of many people are opened, and the file that names them."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovFileInput
from werkzeug.datastructures import FileStorage
from wtforms import FileField, ValidationError

from portal.domain.identifiers import PersonalCode
from portal.services.bulk import ListRequest
from portal.services.bulk_lists import MAXIMUM_ROWS, FaultyRow, ListFault, ListRefused, RowFault, read_list
from portal.services.policy import Decision
from portal.web.formatting import grouped
from portal.web.forms.casework import ReasonForm
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ENDINGS = (".csv", ".txt")


class ListForm(ReasonForm):
    people = FileField(
        _l("File with the personal codes"),
        description=_l("CSV in UTF-8, one person a row, the personal code in the first column."),
        widget=GovFileInput(),
    )

    def __init__(self, offers: Iterable[Decision]) -> None:
        super().__init__(offers, case_required=True)
        del self.personal_code
        self._people: list[PersonalCode] = []

    def validate_people(self, field: FileField) -> None:
        """Read the file; each mistake names its row and never what stood there."""
        uploaded = field.data
        if not isinstance(uploaded, FileStorage) or not uploaded.filename:
            raise ValidationError(_("Choose the file with the personal codes."))
        if not uploaded.filename.lower().endswith(ENDINGS):
            raise ValidationError(_("The file must be a CSV file: its name ends in .csv or .txt."))
        try:
            self._people = read_list(uploaded.stream.read())
        except ListRefused as refusal:
            raise ValidationError(_in_words(refusal)) from None

    def request(self) -> ListRequest:
        """Only after the form was found valid."""
        return ListRequest(
            people=self._people,
            registries=tuple(self.registries.data),
            case=self.case.data,
            justification=self.justification.data or "",
        )


def _in_words(refusal: ListRefused) -> str:
    if refusal.fault is ListFault.ROWS:
        named = "; ".join(_row_in_words(row) for row in refusal.rows)
        left = refusal.faulty - len(refusal.rows)
        said = _("Nothing was sent: %(rows)s.", rows=named)
        if left == 0:
            return said
        return f"{said} " + ngettext("And %(left)s more row.", "And %(left)s more rows.", left, left=grouped(left))
    return {
        ListFault.TOO_LARGE: _("The file is too large for a list of personal codes."),
        ListFault.NOT_TEXT: _("The file is no CSV text in UTF-8. Save it again as “CSV UTF-8”."),
        ListFault.EMPTY: _("The file holds no personal code."),
    }.get(refusal.fault, _("The list is longer than %(most)s people. Divide it.", most=grouped(MAXIMUM_ROWS)))


def _row_in_words(row: FaultyRow) -> str:
    if row.fault is RowFault.REPEATED:
        return _("row %(row)s repeats row %(first)s", row=row.row, first=row.first)
    return _("row %(row)s has no valid personal code", row=row.row)
