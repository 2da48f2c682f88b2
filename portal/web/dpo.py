"""The data protection officer's pages: the queue with its days left, one dispute, its steps and its decision."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.actions import Action
from portal.domain.attachments import FilesNotTakenNow, FilesRefused
from portal.domain.disputes import Ruling
from portal.domain.permissions import Permission
from portal.domain.redaction import NUMBERED
from portal.domain.text import LANGUAGES
from portal.services.disputes.ledger import ShownDispute, StepRefused
from portal.services.disputes.withholding import PassageNotFound
from portal.web.answer_templates import TEMPLATES
from portal.web.dispute_wording import STEPS
from portal.web.formatting import moment
from portal.web.forms.disputes import DecisionForm, ReleaseForm, StepForm, WithholdForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.i18n import gettext as _
from portal.web.uploads import refused_status, sent

blueprint = Blueprint("dpo", __name__)


@blueprint.get("/dpo")
@requires(Permission.HANDLE_DISPUTES)
def queue() -> ResponseReturnValue:
    return render_template("dpo/queue.html", disputes=house().disputes.desk.queue(actor()))


@blueprint.get("/dpo/<dispute>")
@requires(Permission.HANDLE_DISPUTES)
def one(dispute: str) -> ResponseReturnValue:
    step, decision = StepForm(), _decision(dispute)
    chosen, language = TEMPLATES.get(request.args.get("template", "")), request.args.get("language")
    if chosen is not None and language in LANGUAGES:
        if isinstance(chosen.use, Ruling):
            decision.ruling.data, decision.reasons.data = chosen.use, chosen.in_language(language)
        else:
            step.step.data, step.text.data = chosen.use, chosen.in_language(language)
    return _page(dispute, step, decision)


@blueprint.post("/dpo/<dispute>/step")
@requires(Permission.HANDLE_DISPUTES)
def take_step(dispute: str) -> ResponseReturnValue:
    form = StepForm()
    if not form.validate():
        return _page(dispute, form, _decision(dispute)), 400
    desk = house().disputes.desk
    steps = {
        Action.DISPUTE_ANSWER: desk.answer,
        Action.DISPUTE_EXTENSION: desk.extend,
        Action.DISPUTE_PAUSE: desk.pause,
        Action.DISPUTE_RESUMPTION: desk.resume,
    }
    try:
        take = steps[Action(form.step.data)]
        take(actor(), dispute, form.text.data, request_id=request_id(), enclosed=form.enclosed)
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return _page(dispute, form, _decision(dispute)), refused_status(refusal)
    except StepRefused:
        form.step.errors = [_("That cannot be done as the dispute stands now. Nothing was sent.")]
        return _page(dispute, form, _decision(dispute)), 409
    return redirect(url_for("dpo.one", dispute=dispute), 303)


@blueprint.post("/dpo/<dispute>/decision")
@requires(Permission.HANDLE_DISPUTES)
def decide(dispute: str) -> ResponseReturnValue:
    form = _decision(dispute)
    if not form.validate():
        return _page(dispute, StepForm(), form), 400
    try:
        house().disputes.desk.decide(
            actor(),
            dispute,
            form.chosen(),
            form.reasons.data,
            request_id=request_id(),
            ground=form.ground_chosen(),
            enclosed=form.enclosed,
        )
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return _page(dispute, StepForm(), form), refused_status(refusal)
    except StepRefused:
        form.ruling.errors = [_("The dispute was closed meanwhile. Your decision was not kept.")]
        return _page(dispute, StepForm(), form), 409
    return redirect(url_for("dpo.one", dispute=dispute), 303)


@blueprint.get("/dpo/<dispute>/attachments/<attachment>")
@requires(Permission.HANDLE_DISPUTES)
def attachment(dispute: str, attachment: str) -> ResponseReturnValue:
    attachments = house().disputes.attachments
    return sent(attachments.for_officer(actor(), dispute, attachment, request_id=request_id()))


@blueprint.get("/dpo/<dispute>/withhold")
@requires(Permission.HANDLE_DISPUTES)
def withholding(dispute: str) -> ResponseReturnValue:
    shown = house().disputes.desk.one(actor(), dispute)
    return render_template("dpo/withhold.html", dispute=shown, form=WithholdForm(_places(shown)))


@blueprint.post("/dpo/<dispute>/withhold")
@requires(Permission.HANDLE_DISPUTES)
def withhold(dispute: str) -> ResponseReturnValue:
    shown = house().disputes.desk.one(actor(), dispute)
    form = WithholdForm(_places(shown))
    if not form.validate():
        return render_template("dpo/withhold.html", dispute=shown, form=form), 400
    try:
        house().disputes.withholding.withhold(
            actor(), dispute, form.place.data, form.passage.data, form.reason_chosen(), request_id=request_id()
        )
    except PassageNotFound:
        form.passage.errors = [_("It does not stand there like this, or is withheld already. Nothing was changed.")]
        return render_template("dpo/withhold.html", dispute=shown, form=form), 400
    return redirect(url_for("dpo.withholding", dispute=dispute), 303)


@blueprint.post("/dpo/<dispute>/attachments/<attachment>/release")
@requires(Permission.HANDLE_DISPUTES)
def release(dispute: str, attachment: str) -> ResponseReturnValue:
    form = ReleaseForm()
    if not form.validate():
        return redirect(url_for("dpo.withholding", dispute=dispute), 303)
    house().disputes.withholding.release(actor(), dispute, attachment, request_id=request_id())
    return redirect(url_for("dpo.withholding", dispute=dispute), 303)


def _places(shown: ShownDispute) -> list[tuple[str, str]]:
    """What this side has written and attached, of which something may be withheld."""
    places = []
    for message in shown.messages:
        if not message.by_person:
            places.append((message.message_id, f"{STEPS[message.step]}, {moment(message.written_at)}"))
            places += [(one.attachment_id, _("File: %(name)s", name=one.name)) for one in message.attachments]
    return places


def _decision(dispute: str) -> DecisionForm:
    """Raises NothingHere where this officer handles no such dispute."""
    return DecisionForm(house().disputes.desk.one(actor(), dispute).kind)


def _page(dispute: str, step: StepForm, decision: DecisionForm) -> str:
    desk = house().disputes.desk
    shown = desk.one(actor(), dispute)
    contested = desk.contested(actor(), dispute, request_id=request_id())
    return render_template(
        "dpo/one.html",
        dispute=shown,
        contested=contested,
        step=step,
        decision=decision,
        catalogue=house().catalogue,
        templates=TEMPLATES,
        withholding_reasons=NUMBERED.values(),
        contested_decision=house().decisions.office.contested(shown.decision),
        rules=house().decisions.rules.rules,
    )
