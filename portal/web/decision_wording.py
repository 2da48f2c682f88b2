"""Decisions in words: their steps in the log, their states, and each entry as a sentence to the person."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action, Outcome, Reason
from portal.domain.intended_decisions import DecisionState, Ground
from portal.services.trail import TrailLine
from portal.web.house import house
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

DECISION_ACTIONS = {
    Action.DECISION_ANNOUNCEMENT: _l("Decision announced"),
    Action.DECISION_CHANGE: _l("Announced decision changed"),
    Action.DECISION_WITHDRAWAL: _l("Announced decision withdrawn"),
    Action.DECISION_FINAL: _l("Decision made final"),
}
STATES = {
    DecisionState.INTENDED: _l("Intended, not in effect"),
    DecisionState.WITHDRAWN: _l("Withdrawn by the organisation"),
    DecisionState.FINAL: _l("Final"),
}
DECISION_REASONS = {
    Reason.NOTICE_NOT_OVER: _l("the day on which it would take effect has not come"),
    Reason.CONTESTED_DATA: _l("the person contests it, and no human gave a reason"),
    Reason.FOUND_WRONG: _l("the person was found right"),
}
SOURCES = {
    "own": _l("the registry’s own"),
    "registry": _l("another registry"),
    "purchased": _l("bought commercially"),
}


def init_decision_wording(app: Flask) -> None:
    app.add_template_filter(datum_in_words, "datum_in_words")
    app.add_template_filter(lambda state: str(STATES[state]), "decision_state_in_words")
    app.add_template_filter(lambda source: str(SOURCES[source]), "decision_source_in_words")


def datum_in_words(ground: Ground) -> str:
    """The value by the name that its registry's page has for it."""
    registry = house().catalogue.registries.get(ground.registry)
    field = None if registry is None else registry.fields.get(ground.field)
    return ground.name if registry is None or field is None else f"{local(field.name)} ({local(registry.name)})"


def decision_sentence(line: TrailLine) -> str:
    who = local(line.organisation.name) if line.organisation else _("an unknown organisation")
    if line.action == Action.DECISION_ANNOUNCEMENT:
        return _("%(organisation)s announced a decision about you that it intends to take.", organisation=who)
    if line.action == Action.DECISION_CHANGE:
        return _("%(organisation)s changed a decision about you that it had announced.", organisation=who)
    if line.action == Action.DECISION_WITHDRAWAL:
        return _("%(organisation)s withdrew a decision about you that it had announced.", organisation=who)
    if line.outcome == Outcome.DENIED:
        return _("%(organisation)s tried to make a decision about you final and was refused.", organisation=who)
    return _("%(organisation)s made a decision about you final.", organisation=who)
