"""Words for reviews, marks and the import of cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from portal.domain.marks import MarkKind
from portal.domain.reviews import Ground, ReviewState
from portal.services.case_files import FileProblem
from portal.services.case_import import RowProblem, RowState
from portal.services.team_accesses import SupervisedLook
from portal.web.house import house
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

GROUNDS = {
    Ground.OUTSIDE_CASE: _l("No case was named"),
    Ground.CASE_UNKNOWN: _l("The case system does not know this case"),
    Ground.CASE_OF_ANOTHER: _l("The case is assigned to somebody else"),
    Ground.CASE_CLOSED: _l("The case was closed before"),
    Ground.CASE_DOES_NOT_FIT: _l("The case is about other people, or for another purpose"),
    Ground.CLOSENESS_UNKNOWN: _l("It could not be checked whether the person is close to the official"),
    Ground.ABSENT: _l("The official was noted as absent"),
}
REVIEW_STATES = {
    ReviewState.OPEN: _l("To be reviewed"),
    ReviewState.CONFIRMED: _l("In order"),
    ReviewState.ESCALATED: _l("With the auditor"),
    ReviewState.UPHELD: _l("Misuse"),
    ReviewState.CLEARED: _l("Cleared by the auditor"),
}
MARKS = {MarkKind.CONTESTED: _l("Contested"), MarkKind.RESTRICTED: _l("Restricted")}
ROW_STATES = {
    RowState.CREATED: _l("Taken over"),
    RowState.CHANGED: _l("Changed"),
    RowState.UNCHANGED: _l("Unchanged"),
    RowState.REFUSED: _l("Refused"),
}
ROW_PROBLEMS = {
    RowProblem.RAGGED: _l("The row has more or fewer cells than the header."),
    RowProblem.REFERENCE: _l("The reference is empty, too long or holds other signs than letters, digits and - / . :"),
    RowProblem.REPEATED: _l("The same case stands in the file twice."),
    RowProblem.KIND: _l("Say in at most 100 characters what kind of case it is."),
    RowProblem.TEAM: _l("The name of the team is too long."),
    RowProblem.ORGANISATION: _l("There is no organisation with this code."),
    RowProblem.ORGANISATION_FOREIGN: _l("The case belongs to another organisation."),
    RowProblem.PURPOSE: _l("There is no purpose with this code."),
    RowProblem.PURPOSE_FOREIGN: _l("The organisation’s caseworkers may not use this purpose."),
    RowProblem.OPENED: _l("The opening day is no day. Write it like 2026-03-27."),
    RowProblem.CLOSED: _l("The closing day is no day. Write it like 2026-03-27."),
    RowProblem.CLOSED_BEFORE_OPENED: _l("The case was closed before it was opened."),
    RowProblem.SUBJECTS: _l("Name at least one person and at most fifty."),
    RowProblem.SUBJECT_CODE: _l("Person %(position)s has no valid personal code."),
    RowProblem.OFFICIAL_UNKNOWN: _l("Official %(position)s is no caseworker of this organisation."),
}
FILE_PROBLEMS = {
    FileProblem.NOT_UTF8: _l("The file is not in UTF-8. Save it as CSV UTF-8 and try again."),
    FileProblem.EMPTY: _l("The file holds no cases."),
    FileProblem.COLUMN_MISSING: _l("The column %(detail)s is missing in the header."),
    FileProblem.COLUMN_TWICE: _l("The column %(detail)s stands twice in the header."),
    FileProblem.TOO_MANY_ROWS: _l("The file holds more than %(detail)s cases. Divide it."),
    FileProblem.NOT_CSV: _l("The file is not CSV: it is another kind of file, or a quotation mark is not closed."),
}


def init_supervision_wording(app: Flask) -> None:
    for words, name in (
        (GROUNDS, "ground_in_words"),
        (REVIEW_STATES, "review_state_in_words"),
        (MARKS, "mark_in_words"),
        (ROW_STATES, "row_state_in_words"),
    ):
        app.add_template_filter(_speaker(words), name)
    app.add_template_filter(row_problem, "row_problem_in_words")
    app.add_template_filter(_looked_fields, "looked_fields")


def row_problem(problem: RowProblem, position: int | None) -> str:
    said = str(ROW_PROBLEMS[problem])
    return said if position is None else said % {"position": position}


def file_problem(problem: FileProblem, detail: str) -> str:
    said = str(FILE_PROBLEMS[problem])
    return said % {"detail": detail} if detail else said


def _looked_fields(look: SupervisedLook) -> str:
    """The names of the fields that a look opened; a code that the catalogue no longer has stays as it is."""
    registry = house().catalogue.registries.get(look.registry or "")
    known = {} if registry is None else registry.fields
    return ", ".join(local(known[code].name) if code in known else code for code in look.fields)


def _speaker(words: Mapping[Any, Any]) -> Any:
    """Says what it knows; a term of a later release stays as it is."""
    return lambda term: str(words.get(term, term))
