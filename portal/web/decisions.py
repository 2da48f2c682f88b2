"""Decisions about the person that rest on data; and an organisation's own, for its officials."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.attachments import FilesNotTakenNow, FilesRefused
from portal.domain.intended_decisions import DecisionSettled, DecisionState
from portal.domain.permissions import Permission
from portal.services.decisions.register import ShownDecision
from portal.web.decision_wording import datum_in_words
from portal.web.forms.decisions import ObjectionForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.trail import as_download
from portal.web.uploads import refused_status

blueprint = Blueprint("decisions", __name__)


@blueprint.get("/me/decisions")
@requires(Permission.READ_OWN_DECISIONS)
def overview() -> ResponseReturnValue:
    decisions = house().decisions.own.all(actor())
    return render_template(
        "decisions/overview.html",
        intended=[one for one in decisions if one.state is DecisionState.INTENDED],
        settled=[one for one in decisions if one.state is not DecisionState.INTENDED],
        rules=house().decisions.rules.rules,
    )


@blueprint.get("/me/decisions/<decision>")
@requires(Permission.READ_OWN_DECISIONS)
def one(decision: str) -> ResponseReturnValue:
    return _page("decisions/one.html", house().decisions.own.one(actor(), decision))


@blueprint.get("/me/decisions/<decision>/contest")
@requires(Permission.READ_OWN_DECISIONS)
def contest(decision: str) -> ResponseReturnValue:
    shown = house().decisions.own.one(actor(), decision)
    if shown.state is not DecisionState.INTENDED:
        return redirect(url_for("decisions.one", decision=decision), 303)
    return _page("decisions/contest.html", shown, form=_form(shown))


@blueprint.post("/me/decisions/<decision>/contest")
@requires(Permission.READ_OWN_DECISIONS)
def submit_contest(decision: str) -> ResponseReturnValue:
    shown = house().decisions.own.one(actor(), decision)
    form = _form(shown)
    if not form.validate():
        return _page("decisions/contest.html", shown, form=form), 400
    try:
        dispute = house().decisions.own.contest(
            actor(), decision, form.objection(), request_id=request_id(), files=form.uploads
        )
    except DecisionSettled:
        return _page("decisions/one.html", house().decisions.own.one(actor(), decision), was_late=True), 409
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return _page("decisions/contest.html", shown, form=form), refused_status(refusal)
    return redirect(url_for("disputes.one", dispute=dispute), 303)


@blueprint.get("/me/decisions/<decision>/receipt")
@requires(Permission.READ_OWN_DECISIONS)
def receipt(decision: str) -> ResponseReturnValue:
    return as_download(house().decisions.own.receipt(actor(), decision))


@blueprint.get("/decisions")
@requires(Permission.READ_OFFICE_DECISIONS)
def office() -> ResponseReturnValue:
    decisions = house().decisions.office.of_actor(actor())
    return render_template("decisions/office.html", decisions=decisions, rules=house().decisions.rules.rules)


@blueprint.get("/decisions/<decision>")
@requires(Permission.READ_OFFICE_DECISIONS)
def office_one(decision: str) -> ResponseReturnValue:
    return _page("decisions/office_one.html", house().decisions.office.one(actor(), decision))


def _form(shown: ShownDecision) -> ObjectionForm:
    values = [(one.ground.name, datum_in_words(one.ground)) for one in shown.grounds]
    return ObjectionForm(values, request.args.get("value"))


def _page(template: str, shown: ShownDecision, **more: object) -> str:
    return render_template(
        template,
        decision=shown,
        rule=house().decisions.rules.rules.get(shown.rule),
        organisation=house().catalogue.organisations.get(shown.organisation),
        **more,
    )
