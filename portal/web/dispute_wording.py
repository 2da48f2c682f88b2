"""Disputes in words."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action
from portal.domain.attachments import FileFault
from portal.domain.disputes import (
    GROUND_LAW,
    WITHHOLDING_LAW,
    DisputeKind,
    DisputeState,
    Ground,
    Ruling,
    WithholdingReason,
)
from portal.web.i18n import lazy_gettext as _l

KINDS = {
    DisputeKind.ACCESS: _l("Find out whether this look was in order"),
    DisputeKind.RECTIFICATION: _l("Correct it: it is wrong or incomplete"),
    DisputeKind.ERASURE: _l("Erase it: it should not be held"),
    DisputeKind.RESTRICTION: _l("Do not use it for now"),
    DisputeKind.OBJECTION: _l("I object to its use"),
    DisputeKind.DECISION: _l("Look at the decision again"),
}
SHORT_KINDS = {
    DisputeKind.ACCESS: _l("A look at the data"),
    DisputeKind.RECTIFICATION: _l("Correction"),
    DisputeKind.ERASURE: _l("Erasure"),
    DisputeKind.RESTRICTION: _l("Restriction of use"),
    DisputeKind.OBJECTION: _l("Objection"),
    DisputeKind.DECISION: _l("A decision about the person"),
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

#: The ground in law of a refusal, in words that need no law book.
GROUNDS_IN_WORDS = {
    Ground.LAWFUL_LOOK: _l("The look was in order: a law allows it and it belonged to a case"),
    Ground.ACCURATE: _l("The value is right as it stands"),
    Ground.NO_CASE: _l("None of the cases is there in which the law provides for this"),
    Ground.EXPRESSION: _l("It is needed for freedom of expression and information"),
    Ground.LEGAL_OBLIGATION: _l("A law obliges the organisation to hold or use it"),
    Ground.PUBLIC_HEALTH: _l("It is needed for public health"),
    Ground.ARCHIVES: _l("It is needed for archives, research or statistics in the public interest"),
    Ground.LEGAL_CLAIMS: _l("It is needed for legal claims"),
    Ground.COMPELLING: _l("Compelling grounds for its use weigh more than your objection"),
    Ground.REVIEWED: _l("A human looked at the decision anew, and the law allows it"),
    Ground.UNFOUNDED: _l("The request has plainly no basis"),
    Ground.EXCESSIVE: _l("The request goes too far, for instance by being repeated again and again"),
    Ground.NOT_IDENTIFIED: _l("It could not be made sure who asks, or whose data they are"),
    Ground.RESTRICTED: _l("A law restricts this right, for instance for an investigation or public security"),
}
WITHHELD = {
    WithholdingReason.OTHER_PEOPLE: _l("other people’s data"),
    WithholdingReason.SECRET: _l("a trade secret"),
    WithholdingReason.INVESTIGATION: _l("an investigation"),
    WithholdingReason.SECURITY: _l("public security"),
}
FILE_FAULTS = {
    FileFault.EMPTY: _l("the file is empty"),
    FileFault.TOO_LARGE: _l("the file is larger than 10 MB"),
    FileFault.TOO_MANY: _l("these are too many files; send at most 5 at a time and 40 in one dispute"),
    FileFault.KIND: _l("its name must end in .pdf, .png, .jpg, .jpeg or .txt"),
    FileFault.MISMATCH: _l("the content is not what the name says; save it again as PDF, PNG, JPEG or UTF-8 text"),
    FileFault.MIXED: _l("something else is hidden in it or behind its end; print it to PDF or take a picture of it"),
    FileFault.ACTIVE: _l("the document holds a program or other files; print it to PDF"),
    FileFault.DAMAGED: _l("the file is damaged"),
    FileFault.TOO_MANY_PIXELS: _l("the picture has more than 100 million pixels; make it smaller"),
    FileFault.MALWARE: _l("a virus was found in it"),
}


def withheld_in_words(reason: WithholdingReason) -> str:
    return f"{WITHHELD[reason]} ({WITHHOLDING_LAW[reason]})"


def init_dispute_wording(app: Flask) -> None:
    for name, words in (
        ("dispute_kind_in_words", SHORT_KINDS),
        ("dispute_state_in_words", STATES),
        ("ruling_in_words", TOLD_RULINGS),
        ("dispute_step_in_words", STEPS),
        ("refusal_ground_in_words", GROUNDS_IN_WORDS),
        ("refusal_ground_law", GROUND_LAW),
    ):
        app.add_template_filter(lambda term, words=words: str(words[term]), name)
    app.add_template_filter(withheld_in_words, "withheld_in_words")
