"""Findings: an auditor's list and file of each, and the questions that an official has to answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from zipstream import ZIP_DEFLATED, ZipStream

from portal.domain.assurance import Assurance
from portal.domain.errors import NothingHere
from portal.domain.findings import FindingRefused, FindingState, Sanction, Verdict
from portal.domain.permissions import Permission
from portal.web.forms.findings import (
    ClosingForm,
    DecisionForm,
    OpenFindingForm,
    PlainForm,
    QuestionForm,
    StatementForm,
)
from portal.web.forms.independence import RevealForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, present, request_id
from portal.web.wording import WHY_NOT

blueprint = Blueprint("findings", __name__)


@blueprint.get("/oversight/findings")
@requires(Permission.HANDLE_FINDINGS)
def overview() -> ResponseReturnValue:
    state = request.args.get("state") or None
    if state is not None and state not in set(FindingState):
        raise NothingHere
    wanted = None if state is None else FindingState(state)
    findings = house().findings
    return render_template(
        "findings/overview.html",
        rows=findings.newest(actor(), wanted),
        pseudonym=house().identities.official,
        tallies=findings.tallies(),
        states=FindingState,
        chosen=wanted,
    )


@blueprint.get("/oversight/entries/<reference>/finding")
@requires(Permission.HANDLE_FINDINGS)
def start(reference: str) -> ResponseReturnValue:
    form = OpenFindingForm(formdata=None)
    form.entry.data = reference
    return _asked_to_start(form, reference)


@blueprint.post("/oversight/findings")
@requires(Permission.HANDLE_FINDINGS)
def open_finding() -> ResponseReturnValue:
    form = OpenFindingForm()
    if not form.entry.data:
        raise NothingHere
    if not form.validate():
        return _asked_to_start(form, form.entry.data), 400
    try:
        finding_id = house().findings.open(actor(), form.entry.data, form.text.data, request_id=request_id())
    except FindingRefused as refused:
        form.text.errors = [WHY_NOT[refused.why]]
        return _asked_to_start(form, form.entry.data), 409
    return redirect(url_for("findings.file", finding_id=finding_id), 303)


@blueprint.get("/oversight/findings/<finding_id>")
@requires(Permission.HANDLE_FINDINGS)
def file(finding_id: str) -> ResponseReturnValue:
    return _shown(finding_id)


@blueprint.post("/oversight/findings/<finding_id>/evidence")
@requires(Permission.HANDLE_FINDINGS)
def attach(finding_id: str) -> ResponseReturnValue:
    reference = request.form.get("entry", "")
    return _stepped(
        finding_id, lambda: house().findings.attach(actor(), finding_id, reference, request_id=request_id())
    )


@blueprint.post("/oversight/findings/<finding_id>/assignment")
@requires(Permission.HANDLE_FINDINGS)
def take_over(finding_id: str) -> ResponseReturnValue:
    return _stepped(finding_id, lambda: house().findings.take_over(actor(), finding_id, request_id=request_id()))


@blueprint.post("/oversight/findings/<finding_id>/question")
@requires(Permission.HANDLE_FINDINGS)
def ask(finding_id: str) -> ResponseReturnValue:
    form = QuestionForm()
    if not form.validate():
        return _shown(finding_id, question=form), 400
    return _stepped(
        finding_id, lambda: house().findings.ask(actor(), finding_id, form.text.data, request_id=request_id())
    )


@blueprint.post("/oversight/findings/<finding_id>/decision")
@requires(Permission.HANDLE_FINDINGS)
def decide(finding_id: str) -> ResponseReturnValue:
    form = DecisionForm()
    if not form.validate():
        return _shown(finding_id, decision=form), 400
    verdict, sanction = Verdict(form.verdict.data), Sanction(form.sanction.data)
    return _stepped(
        finding_id,
        lambda: house().findings.decide(
            actor(), finding_id, verdict, sanction, form.text.data, request_id=request_id()
        ),
    )


@blueprint.post("/oversight/findings/<finding_id>/notice")
@requires(Permission.HANDLE_FINDINGS)
def tell(finding_id: str) -> ResponseReturnValue:
    def told() -> None:
        house().findings.tell(actor(), finding_id, request_id=request_id())

    return _stepped(finding_id, told)


@blueprint.post("/oversight/findings/<finding_id>/end")
@requires(Permission.HANDLE_FINDINGS)
def close(finding_id: str) -> ResponseReturnValue:
    form = ClosingForm()
    if not form.validate():
        return _shown(finding_id, closing=form), 400
    return _stepped(
        finding_id, lambda: house().findings.close(actor(), finding_id, form.text.data, request_id=request_id())
    )


@blueprint.post("/oversight/findings/<finding_id>/reveal")
@requires(Permission.REVEAL_IDENTITIES, assurance=Assurance.HIGH, fresh=FRESH)
def reveal(finding_id: str) -> ResponseReturnValue:
    """Show in this session whose looks these are, and at whom."""
    form = RevealForm()
    if not form.validate():
        return _shown(finding_id, reveal=form), 400
    evidence = [logged for _, logged in house().findings.file(actor(), finding_id).evidence]
    session_id = present().session.session_id
    house().identities.reveal(actor(), session_id, evidence, form.reason.data, request_id=request_id())
    return redirect(url_for("findings.file", finding_id=finding_id), 303)


@blueprint.get("/oversight/findings/<finding_id>/proofs.zip")
@requires(Permission.HANDLE_FINDINGS)
def proofs(finding_id: str) -> ResponseReturnValue:
    """A receipt for each entry of the evidence: whoever doubts it can check them without the portal.

    As with a single receipt, the contents go with it where the session sees whom they name.
    """
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    session_id = present().session.session_id
    may_show = partial(house().identities.is_revealed, session_id)
    for name, text in house().findings.proofs(actor(), finding_id, may_show):
        archive.add(text, name)
    headers = {"Content-Disposition": "attachment; filename=evidence.zip"}
    return Response(bytes(archive), mimetype="application/zip", headers=headers)


@blueprint.get("/casework/questions")
@requires(Permission.ANSWER_QUESTIONS)
def questions() -> ResponseReturnValue:
    return _asked_questions({})


@blueprint.post("/casework/questions/<finding_id>")
@requires(Permission.ANSWER_QUESTIONS)
def answer(finding_id: str) -> ResponseReturnValue:
    form = StatementForm(prefix=finding_id)
    if not form.validate():
        return _asked_questions({finding_id: form}), 400
    house().findings.answer(actor(), finding_id, form.text.data, request_id=request_id())
    return redirect(url_for("findings.questions"), 303)


def _stepped(finding_id: str, step: Callable[[], None]) -> ResponseReturnValue:
    try:
        step()
    except FindingRefused as refused:
        return _shown(finding_id, refusal=WHY_NOT[refused.why]), 409
    return redirect(url_for("findings.file", finding_id=finding_id), 303)


def _shown(finding_id: str, **given: Any) -> str:
    forms = {
        "question": QuestionForm(formdata=None),
        "decision": DecisionForm(formdata=None),
        "closing": ClosingForm(formdata=None),
        "plain": PlainForm(formdata=None),
        "reveal": RevealForm(formdata=None),
        "refusal": None,
    }
    found = house().findings.file(actor(), finding_id)
    people = house().identities.of(present().session.session_id, [logged for _, logged in found.evidence])
    return render_template(
        "findings/file.html",
        found=found,
        people=people,
        is_revealed=any(named.is_revealed for named in people.values()),
        pseudonym=house().identities.official,
        **(forms | given),
    )


def _asked_to_start(form: OpenFindingForm, reference: str) -> str:
    looked_at = house().oversight.entry(actor(), reference, request_id=request_id())
    return render_template("findings/start.html", form=form, found=looked_at, catalogue=house().catalogue)


def _asked_questions(typed: dict[str, StatementForm]) -> str:
    asked = house().findings.questions(actor())
    forms = {one.finding_id: StatementForm(formdata=None, prefix=one.finding_id) for one in asked}
    return render_template("findings/questions.html", questions=asked, forms=forms | typed)
