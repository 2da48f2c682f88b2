"""Bundles in words: their steps in the log, their states, and each entry as a sentence to the person."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action, Outcome
from portal.services.bundle.desk import BundleProblem
from portal.services.file_jobs import JobState
from portal.services.trail import TrailLine
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

BUNDLE_ACTIONS = {
    Action.BUNDLE_REQUEST: _l("Bundle of one’s own data asked for"),
    Action.BUNDLE_COMPLETION: _l("Bundle of one’s own data made"),
    Action.BUNDLE_DOWNLOAD: _l("Bundle of one’s own data fetched"),
    Action.BUNDLE_DELETION: _l("Bundle of one’s own data deleted"),
}
STATES = {
    JobState.WAITING: _l("Waiting"),
    JobState.RUNNING: _l("Being made"),
    JobState.READY: _l("Ready"),
    JobState.FAILED: _l("Not made"),
    JobState.EXPIRED: _l("Deleted"),
}
PROBLEMS = {
    BundleProblem.LOG: _l("The log could not be read or written. Nothing was given out. Try again later."),
    BundleProblem.ACCOUNT: _l("Your account may no longer take data away."),
    BundleProblem.TROUBLE: _l("Something went wrong on our side, several times. Nothing is lost. Try again tomorrow."),
}


def init_bundle_wording(app: Flask) -> None:
    app.add_template_filter(lambda term: str(STATES[term]), "bundle_state_in_words")
    app.add_template_filter(lambda term: str(PROBLEMS[term]), "bundle_problem_in_words")


def bundle_sentence(line: TrailLine) -> str:
    if line.outcome == Outcome.FAILED:
        return _("The bundle of all your data that you asked for could not be made.")
    match line.action:
        case Action.BUNDLE_REQUEST:
            return _("You asked for a bundle of all your data.")
        case Action.BUNDLE_COMPLETION:
            return _("The bundle of all your data was made.")
        case Action.BUNDLE_DOWNLOAD:
            return _("You downloaded the bundle of all your data.")
        case _:
            return _("You deleted the bundle of all your data.")
