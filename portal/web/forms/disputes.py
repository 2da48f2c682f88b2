"""What a person writes when they contest something, and what a data protection officer answers."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovTextArea
from wtforms import Field, Form, RadioField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.domain.actions import Action
from portal.domain.disputes import DisputeKind, Ruling
from portal.services.disputes.ledger import LONGEST_TEXT, SHORTEST_TEXT
from portal.web.answer_templates import GAP
from portal.web.dispute_wording import KINDS, RULINGS
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

_LENGTH = Length(min=SHORTEST_TEXT, max=LONGEST_TEXT, message=_l("Write 10 to 3,000 characters."))


def _tidied(text: str | None) -> str:
    return (text or "").strip()


def _without_gaps(_form: Form, field: Field) -> None:
    """What a template left for the officer to write was written."""
    if GAP in (field.data or ""):
        raise ValidationError(_("Fill in what stands as […]. Nothing was sent."))


class ComplaintForm(HouseForm):
    kind = RadioField(
        _l("What do you ask for?"),
        validators=[InputRequired(_l("Choose what you ask for."))],
        widget=GovRadioInput(),
    )
    text = TextAreaField(
        _l("Why?"),
        description=_l("Say what is wrong and how it should be. Do not write about anybody else."),
        filters=[_tidied],
        validators=[_LENGTH],
        widget=GovTextArea(),
    )

    def __init__(self, kinds: Iterable[DisputeKind]) -> None:
        super().__init__()
        offered = list(kinds)
        self.kind.choices = choices((kind.value, KINDS[kind]) for kind in offered)
        if len(offered) == 1 and not self.kind.data:
            self.kind.data = offered[0].value


class MessageForm(HouseForm):
    text = TextAreaField(_l("Your message"), filters=[_tidied], validators=[_LENGTH], widget=GovTextArea())


class WithdrawalForm(HouseForm):
    """Nothing but the mark of one's own session."""


class StepForm(HouseForm):
    step = RadioField(
        _l("What do you do?"),
        choices=choices(
            [
                (Action.DISPUTE_ANSWER.value, _l("Write to the person")),
                (Action.DISPUTE_EXTENSION.value, _l("Extend the time by two months, with these reasons")),
                (Action.DISPUTE_PAUSE.value, _l("Stop the clock to check who the person is")),
                (Action.DISPUTE_RESUMPTION.value, _l("Let the clock go on")),
            ]
        ),
        validators=[InputRequired(_l("Choose what you do."))],
        widget=GovRadioInput(),
    )
    text = TextAreaField(
        _l("What you write"),
        description=_l("The person reads this."),
        filters=[_tidied],
        validators=[_LENGTH, _without_gaps],
        widget=GovTextArea(),
    )


class DecisionForm(HouseForm):
    ruling = RadioField(
        _l("How do you decide?"),
        choices=choices((ruling.value, words) for ruling, words in RULINGS.items()),
        validators=[InputRequired(_l("Choose how you decide."))],
        widget=GovRadioInput(),
    )
    reasons = TextAreaField(
        _l("Reasons"),
        description=_l("In plain words, with what you checked. Where you refuse, name the ground in law."),
        filters=[_tidied],
        validators=[_LENGTH, _without_gaps],
        widget=GovTextArea(),
    )

    def chosen(self) -> Ruling:
        """Only after the form was found valid."""
        return Ruling(self.ruling.data)
