"""Exports in words."""

from __future__ import annotations

from flask import Flask

from portal.services.export_desk import ExportProblem
from portal.services.exporting.formats import ExportFormat
from portal.services.file_jobs import JobState
from portal.web.i18n import lazy_gettext as _l

FORMATS = {
    ExportFormat.CSV: _l("CSV, for a spreadsheet"),
    ExportFormat.JSONL: _l("JSON Lines, exact, for programs"),
    ExportFormat.PARQUET: _l("Parquet, exact, for analysis of many entries"),
    ExportFormat.FHIR: _l("FHIR R5 AuditEvent, for systems of health care"),
    ExportFormat.COURT: _l("Bundle for a court: each entry with its proof, and a report to read"),
}
STATES = {
    JobState.WAITING: _l("Waiting"),
    JobState.RUNNING: _l("Being made"),
    JobState.READY: _l("Ready"),
    JobState.FAILED: _l("Not made"),
    JobState.EXPIRED: _l("Deleted"),
}
PROBLEMS = {
    ExportProblem.TOO_MANY: _l("There are too many entries for a court’s bundle. Search for fewer and export again."),
    ExportProblem.NO_TIME_STAMP: _l("The time-stamping authority gave no time stamp. Export again later."),
    ExportProblem.LOG: _l("The log could not be read. Nothing was given out. Export again later."),
    ExportProblem.ACCOUNT: _l("Your account may no longer export."),
}


def init_export_wording(app: Flask) -> None:
    app.add_template_filter(lambda term: str(FORMATS[term]), "export_format_in_words")
    app.add_template_filter(lambda term: str(STATES[term]), "export_state_in_words")
    app.add_template_filter(lambda term: str(PROBLEMS[term]), "export_problem_in_words")
    app.jinja_env.globals["export_formats"] = FORMATS
