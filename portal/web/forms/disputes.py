"""What a person writes when they contest something, and what a data protection officer answers."""

from __future__ import annotations

from collections.abc import Iterable

from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSelect, GovTextArea
from wtforms import Field, Form, MultipleFileField, RadioField, SelectField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.domain.actions import Action
from portal.domain.attachments import FilesNotTakenNow, FilesRefused, Upload
from portal.domain.disputes import GROUND_LAW, GROUNDS, DisputeKind, Ground, Ruling, WithholdingReason, needs_ground
from portal.domain.redaction import MarkFaulty, read_marks
from portal.services.disputes.desk import Enclosed
from portal.services.disputes.ledger import LONGEST_TEXT, SHORTEST_TEXT
from portal.web.answer_templates import GAP
from portal.web.dispute_wording import FILE_FAULTS, GROUNDS_IN_WORDS, KINDS, RULINGS, withheld_in_words
from portal.web.forms.fields import HouseForm, choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.uploads import shown_name, uploads_of

_LENGTH = Length(min=SHORTEST_TEXT, max=LONGEST_TEXT, message=_l("Write 10 to 3,000 characters."))


def _tidied(text: str | None) -> str:
    return (text or "").strip()


def _without_gaps(_form: Form, field: Field) -> None:
    """What a template left for the officer to write was written."""
    if GAP in (field.data or ""):
        raise ValidationError(_("Fill in what stands as […]. Nothing was sent."))


def _marked_well(_form: Form, field: Field) -> None:
    """Each mark of what is withheld says why and has an end."""
    try:
        read_marks(field.data or "")
    except MarkFaulty:
        raise ValidationError(
            _("Mark what is withheld as [[1: the passage]], with the number of the reason. Nothing was sent.")
        ) from None


def _attachments(**options: str) -> MultipleFileField:
    return MultipleFileField(
        _l("Files (optional)"),
        description=_l(
            "Up to 5 files of at most 10 MB: PDF, PNG or JPEG pictures, or plain text (UTF-8). What a camera notes in a"
            " picture, such as the place, is removed."
        ),
        widget=GovFileInput(multiple=True),
        **options,
    )


def _files_withheld(**options: str) -> SelectField:
    return SelectField(
        _l("May the person open the files?"),
        description=_l("You can give a file free later, with passages of a text withheld."),
        choices=lambda: choices(
            [("", _("Yes")), *((code, _("No: %(reason)s", reason=words)) for code, words in _reasons())]
        ),
        default="",
        widget=GovSelect(),
        **options,
    )


def _reasons() -> list[tuple[str, str]]:
    return [(reason.value, withheld_in_words(reason)) for reason in WithholdingReason]


class FilesForm(HouseForm):
    """A form with files beside its text."""

    attachments: MultipleFileField

    @property
    def uploads(self) -> list[Upload]:
        return uploads_of(self.attachments)

    def refuse_files(self, refusal: FilesRefused | FilesNotTakenNow) -> None:
        """Say at the field why the files are not taken. A browser does not choose files by itself again."""
        if isinstance(refusal, FilesNotTakenNow):
            self.attachments.errors = [
                _("The files cannot be checked for viruses just now. Send your text without them, or try again later.")
            ]
            return
        names = [shown_name(one.name) for one in self.uploads]
        told = [
            _("%(file)s: %(reason)s", file=names[position], reason=FILE_FAULTS[fault])
            for position, fault in refusal.faults.items()
        ]
        again = _("Nothing was sent, and your text is still here. Choose the files again.")
        self.attachments.errors = ["; ".join(told) + ". " + again]


class ComplaintForm(FilesForm):
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

    attachments = _attachments()

    def __init__(self, kinds: Iterable[DisputeKind]) -> None:
        super().__init__()
        offered = list(kinds)
        self.kind.choices = choices((kind.value, KINDS[kind]) for kind in offered)
        if len(offered) == 1 and not self.kind.data:
            self.kind.data = offered[0].value


class MessageForm(FilesForm):
    text = TextAreaField(_l("Your message"), filters=[_tidied], validators=[_LENGTH], widget=GovTextArea())
    attachments = _attachments()


class WithdrawalForm(HouseForm):
    """Nothing but the mark of one's own session."""


class FilingForm(HouseForm):
    """Nothing but the mark of one's own session."""


class OfficersForm(FilesForm):
    """What an officer writes: passages of it, and its files, may be withheld from the person."""

    files_withheld: SelectField

    @property
    def enclosed(self) -> Enclosed:
        """Only after the form was found valid."""
        reason = self.files_withheld.data
        return Enclosed(self.uploads, WithholdingReason(reason) if reason else None)


class StepForm(OfficersForm):
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
        validators=[_LENGTH, _without_gaps, _marked_well],
        widget=GovTextArea(),
    )
    attachments = _attachments()
    files_withheld = _files_withheld()


class DecisionForm(OfficersForm):
    ruling = RadioField(
        _l("How do you decide?"),
        choices=choices((ruling.value, words) for ruling, words in RULINGS.items()),
        validators=[InputRequired(_l("Choose how you decide."))],
        widget=GovRadioInput(),
    )
    ground = SelectField(
        _l("Ground in law, where something is refused"),
        description=_l("The person reads it, with how to complain."),
        default="",
        widget=GovSelect(),
    )
    reasons = TextAreaField(
        _l("Reasons"),
        description=_l("In plain words, with what you checked."),
        filters=[_tidied],
        validators=[_LENGTH, _without_gaps, _marked_well],
        widget=GovTextArea(),
    )
    #: Both of the officer's forms stand on one page.
    attachments = _attachments(name="decision_attachments")
    files_withheld = _files_withheld(name="decision_files_withheld")

    def __init__(self, kind: DisputeKind) -> None:
        super().__init__()
        named = [(ground.value, f"{GROUNDS_IN_WORDS[ground]} ({GROUND_LAW[ground]})") for ground in GROUNDS[kind]]
        self.ground.choices = choices([("", _("nothing is refused")), *named])

    def validate_ground(self, field: SelectField) -> None:
        if not self.ruling.data:
            return
        if needs_ground(Ruling(self.ruling.data)) != bool(field.data):
            raise ValidationError(
                _("Choose “nothing is refused”, or that the person is not right.")
                if field.data
                else _("Choose the ground in law on which it is refused.")
            )

    def ground_chosen(self) -> Ground | None:
        """Only after the form was found valid."""
        return Ground(self.ground.data) if self.ground.data else None

    def chosen(self) -> Ruling:
        """Only after the form was found valid."""
        return Ruling(self.ruling.data)


class WithholdForm(HouseForm):
    place = RadioField(
        _l("Where?"),
        validators=[InputRequired(_l("Choose the message or the file."))],
        widget=GovRadioInput(),
    )
    passage = TextAreaField(
        _l("Which passage?"),
        description=_l(
            "Exactly as it stands there; it is withheld wherever it stands. Leave it empty for a whole file."
        ),
        filters=[_tidied],
        validators=[Length(max=LONGEST_TEXT, message=_l("Write at most 3,000 characters."))],
        widget=GovTextArea(),
    )
    reason = RadioField(
        _l("Why?"),
        choices=lambda: choices(_reasons()),
        validators=[InputRequired(_l("Choose why it is withheld."))],
        widget=GovRadioInput(),
    )

    def __init__(self, places: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self.place.choices = choices(places)

    def reason_chosen(self) -> WithholdingReason:
        """Only after the form was found valid."""
        return WithholdingReason(self.reason.data)


class ReleaseForm(HouseForm):
    """Nothing but the mark of one's own session."""
