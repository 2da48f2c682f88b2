"""The data protection officer's pages: the queue with its days left, one dispute, its steps and its decision."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.actions import Action
from portal.domain.attachments import FilesNotTakenNow, FilesRefused
from portal.domain.disputes import Ruling
from portal.domain.permissions import Permission
from portal.domain.text import LANGUAGES
from portal.services.disputes.ledger import StepRefused
from portal.web.answer_templates import TEMPLATES
from portal.web.forms.disputes import DecisionForm, StepForm
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
        take(actor(), dispute, form.text.data, request_id=request_id(), files=form.uploads)
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
            files=form.uploads,
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
    )
