"""Disputes in words."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action
from portal.domain.disputes import DisputeKind, DisputeState, Ruling
from portal.web.i18n import lazy_gettext as _l

KINDS = {
    DisputeKind.ACCESS: _l("Find out whether this look was in order"),
    DisputeKind.RECTIFICATION: _l("Correct it: it is wrong or incomplete"),
    DisputeKind.ERASURE: _l("Erase it: it should not be held"),
    DisputeKind.RESTRICTION: _l("Do not use it for now"),
    DisputeKind.OBJECTION: _l("I object to its use"),
}
SHORT_KINDS = {
    DisputeKind.ACCESS: _l("A look at the data"),
    DisputeKind.RECTIFICATION: _l("Correction"),
    DisputeKind.ERASURE: _l("Erasure"),
    DisputeKind.RESTRICTION: _l("Restriction of use"),
    DisputeKind.OBJECTION: _l("Objection"),
}
STATES = {
    DisputeState.OPEN: _l("Open"),
    DisputeState.DECIDED: _l("Decided"),
    DisputeState.WITHDRAWN: _l("Withdrawn"),
}
RULINGS = {
    Ruling.UPHELD: _l("The person is right"),
    Ruling.PARTLY: _l("The person is right in part"),
    Ruling.REFUSED: _l("The person is not right"),
}
TOLD_RULINGS = {
    Ruling.UPHELD: _l("You were right"),
    Ruling.PARTLY: _l("You were right in part"),
    Ruling.REFUSED: _l("Refused"),
}
STEPS = {
    Action.DISPUTE_OPENING: _l("Opened"),
    Action.DISPUTE_MESSAGE: _l("Message of the person"),
    Action.DISPUTE_WITHDRAWAL: _l("Withdrawn"),
    Action.DISPUTE_ANSWER: _l("Message of the organisation"),
    Action.DISPUTE_EXTENSION: _l("Time extended"),
    Action.DISPUTE_PAUSE: _l("Clock stopped to check who you are"),
    Action.DISPUTE_RESUMPTION: _l("Clock goes on"),
    Action.DISPUTE_DECISION: _l("Decision"),
}


def init_dispute_wording(app: Flask) -> None:
    for name, words in (
        ("dispute_kind_in_words", SHORT_KINDS),
        ("dispute_state_in_words", STATES),
        ("ruling_in_words", TOLD_RULINGS),
        ("dispute_step_in_words", STEPS),
    ):
        app.add_template_filter(lambda term, words=words: str(words[term]), name)
