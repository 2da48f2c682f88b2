"""Mandates in words: their steps in the log, how they stand, and each entry as a sentence to the person."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action, Outcome, Reason
from portal.domain.mandates import MandateFault, MandateState
from portal.services.trail import TrailLine
from portal.web.formatting import grouped
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local, ngettext

MANDATE_ACTIONS = {
    Action.MANDATE_GIVING: _l("Mandate given"),
    Action.MANDATE_ASSIGNMENT: _l("Mandate received"),
    Action.MANDATE_REVOCATION: _l("Mandate taken back"),
    Action.MANDATE_RENUNCIATION: _l("Mandate given up"),
    Action.MANDATE_END: _l("Mandate ended by the other side"),
    Action.MANDATE_READ: _l("Record opened by a representative"),
    Action.MANDATE_TRAIL_LOOK: _l("List of looks opened by a representative"),
    Action.MANDATE_CHECK: _l("Checked whose parent somebody is"),
}
MANDATE_REASONS = {
    Reason.MANDATE_NOT_IN_FORCE: _l("the mandate did not hold any more"),
    Reason.BEYOND_MANDATE: _l("the mandate does not reach this registry"),
    Reason.CLOSED_TO_PARENT: _l("it stays closed to a parent: the child is old enough, or specially protected"),
    Reason.OWN_MANDATE: _l("nobody gives a mandate to themselves"),
}
STATES = {
    MandateState.IN_FORCE: _l("In force"),
    MandateState.OVER: _l("Its time is over"),
    MandateState.ENDED: _l("Ended"),
}
#: To whoever wants to give one, beside the field that is wrong.
FAULTS = {
    MandateFault.SELF: _l("This is your own code. You need no mandate to see your own data."),
    MandateFault.SCOPE: _l("Choose at least one registry."),
    MandateFault.PAST: _l("The last day is past. Choose today or a later day."),
    MandateFault.TOO_LONG: _l("The last day is too far away."),
    MandateFault.TOO_MANY: _l("You have as many mandates in force as one person may have. End one first."),
}
OWN_MANDATE_STEPS = frozenset({Action.MANDATE_GIVING, Action.MANDATE_REVOCATION, Action.MANDATE_RENUNCIATION})


def init_mandate_wording(app: Flask) -> None:
    app.add_template_filter(lambda state: str(STATES[state]), "mandate_state_in_words")


def own_mandate_sentence(line: TrailLine) -> str:
    if line.outcome == Outcome.DENIED:
        return _("You wanted to give yourself a mandate. Nothing was given.")
    if line.action == Action.MANDATE_GIVING:
        return _("You gave somebody a mandate to look at your data.")
    if line.action == Action.MANDATE_REVOCATION:
        return _("You ended a mandate that you had given.")
    return _("You gave up a mandate to look at somebody’s data.")


def mandate_sentence(line: TrailLine) -> str:
    """What somebody did who acts for the reader, or for whom the reader acts."""
    if line.action == Action.MANDATE_CHECK:
        return _check_sentence(line)
    name = line.official or _("somebody")
    registry = local(line.registry.name) if line.registry else _("unknown registry")
    if line.action == Action.MANDATE_ASSIGNMENT:
        return _("%(name)s gave you a mandate to look at their data.", name=name)
    if line.action == Action.MANDATE_END:
        return _("%(name)s ended a mandate between you.", name=name)
    if line.outcome == Outcome.DENIED:
        return _(
            "%(name)s wanted to look at your data in the %(registry)s for you and was refused. Nothing was shown.",
            name=name,
            registry=registry,
        )
    if line.outcome == Outcome.FAILED:
        return _(
            "Your representative %(name)s asked for your data, but the %(registry)s gave no answer.",
            name=name,
            registry=registry,
        )
    if line.action == Action.MANDATE_TRAIL_LOOK:
        return _(
            "Your representative %(name)s looked at who had opened your data in the %(registry)s.",
            name=name,
            registry=registry,
        )
    number = len(line.fields)
    return ngettext(
        "Your representative %(name)s looked at %(number)s field of your data in the %(registry)s.",
        "Your representative %(name)s looked at %(number)s fields of your data in the %(registry)s.",
        number,
        number=grouped(number),
        name=name,
        registry=registry,
    )


def _check_sentence(line: TrailLine) -> str:
    """What the portal asked before a parent could look: about the parent, or about the child."""
    registry = local(line.registry.name) if line.registry else _("unknown registry")
    if line.official is None:
        return _(
            "The portal asked the %(registry)s who your children are, so that you could look for one. "
            "No person looked.",
            registry=registry,
        )
    return _(
        "Before your parent %(name)s could look, the portal asked the %(registry)s whether you are "
        "specially protected. No person looked.",
        name=line.official,
        registry=registry,
    )
