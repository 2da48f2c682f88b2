"""Templates for what a data protection officer writes: where to begin, with gaps that only the officer can fill.

A template is filled into the form in the language that the officer chooses, which is the person's and not the page's.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import force_locale

from portal.domain.actions import Action
from portal.domain.disputes import Ruling
from portal.web.i18n import lazy_gettext as _l

#: What stands where the officer has to write something. A text that still has one is not sent.
GAP = "[…]"


@dataclass(frozen=True, slots=True)
class AnswerTemplate:
    """`use` says what it is a template for: the step that is taken with it, or how the dispute is decided."""

    title: str
    use: Action | Ruling
    text: str

    def in_language(self, language: str) -> str:
        with force_locale(language):
            return str(self.text)


TEMPLATES = {
    "received": AnswerTemplate(
        _l("We have it and are examining it"),
        Action.DISPUTE_ANSWER,
        _l("We have received your dispute and are examining it. We are asking […]. You will read our decision here."),
    ),
    "question": AnswerTemplate(
        _l("A question to the person"),
        Action.DISPUTE_ANSWER,
        _l(
            "To decide on your dispute we need to know […]. Please answer here. The time for our decision"
            " goes on meanwhile."
        ),
    ),
    "extension": AnswerTemplate(
        _l("More time"),
        Action.DISPUTE_EXTENSION,
        _l(
            "We need two months more for your dispute, because […]. You will have our decision within three"
            " months of the day we received it (Article 12(3) of the General Data Protection Regulation)."
        ),
    ),
    "identity": AnswerTemplate(
        _l("Who the person is"),
        Action.DISPUTE_PAUSE,
        _l(
            "We doubt who sent this dispute, because […]. To confirm that it was you, please […]. Until"
            " then the time for our decision stands (Article 12(6) of the General Data Protection Regulation)."
        ),
    ),
    "upheld": AnswerTemplate(
        _l("Decision: the person is right"),
        Ruling.UPHELD,
        _l("You are right. We checked […] and found that […]. We have […]."),
    ),
    "partly": AnswerTemplate(
        _l("Decision: the person is right in part"),
        Ruling.PARTLY,
        _l(
            "You are right in part. We checked […]. You are right that […], and we have […]. We cannot […],"
            " because […]."
        ),
    ),
    "refused": AnswerTemplate(
        _l("Decision: refused"),
        Ruling.REFUSED,
        _l("We checked […] and cannot do what you ask, because […]."),
    ),
}
