"""Staff come in: signing in with passkey and password, confirming it, and enrolling with a code."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.actions import Reason
from portal.services.enrolment import Enrolling, FirstCredentials
from portal.services.enrolment_codes import CodeProblem, CodeRefused
from portal.services.passkeys import Prompt
from portal.services.password_rules import PasswordRefused
from portal.services.relying_party import PasskeyRefused
from portal.services.sessions import Method
from portal.services.staff_sign_in import WITH_PASSKEY, StaffRefused
from portal.web import step_up
from portal.web.browsers import browser_secret
from portal.web.forms.staff import CodeForm, EnrolmentForm, PasskeyForm, StaffSignInForm, weak
from portal.web.guard import public, signed_in
from portal.web.house import actor_or_none, house, present, request_id
from portal.web.i18n import gettext as _
from portal.web.login import HOME_OF, local_path, visit, welcomed

blueprint = Blueprint("staff", __name__)

step_up.WAYS[Method.PASSKEY] = "staff.confirm"


@blueprint.get("/staff/sign-in")
@public("staff have to get in somewhere")
def sign_in() -> ResponseReturnValue:
    if (signed := actor_or_none()) is not None:
        return redirect(url_for(HOME_OF[signed.role]))
    return _sign_in_page(StaffSignInForm(), local_path(request.args.get("next")))


@blueprint.post("/staff/sign-in")
@public("signs in; what does not hold is answered alike, whoever it is from")
def let_in() -> ResponseReturnValue:
    form = StaffSignInForm()
    wanted = local_path(request.form.get("next"))
    if not form.validate():
        return _sign_in_page(form, wanted), 400
    try:
        admitted = house().staff.sign_in.let_in(form.answer(browser_secret()), form.password.data, visit())
    except StaffRefused as refused:
        return _sign_in_page(form, wanted, refused), 401
    return welcomed(admitted.actor, admitted.token, wanted)


@blueprint.get("/step-up/<errand>/passkey")
@signed_in()
def confirm(errand: str) -> ResponseReturnValue:
    return _confirm_page(errand)


@blueprint.post("/step-up/<errand>/passkey")
@signed_in()
def confirmed(errand: str) -> ResponseReturnValue:
    form = PasskeyForm()
    form.validate()
    if not house().staff.sign_in.confirm(present().actor, form.answer(browser_secret())):
        house().entrance.refuse_step_up(present(), Reason.PASSKEY_REFUSED, request_id())
        return _confirm_page(errand, failed=True), 401
    return step_up.done(WITH_PASSKEY, errand)


@blueprint.get("/staff/enrol")
@public("asks for a code; knows nobody")
def enrol() -> ResponseReturnValue:
    return render_template("staff/code.html", form=CodeForm(), refused=None)


@blueprint.post("/staff/enrol")
@public("opens for a code that an administrator gave")
def open_code() -> ResponseReturnValue:
    form = CodeForm()
    if not form.validate():
        return render_template("staff/code.html", form=form, refused=None), 400
    try:
        enrolling = house().staff.enrolment.open(form.code.data)
    except CodeRefused as refused:
        return render_template("staff/code.html", form=form, refused=refused), 400
    enrolment = EnrolmentForm(second_half_needed=enrolling.needs_second)
    return _enrolment_page(enrolment, enrolling)


@blueprint.post("/staff/enrol/complete")
@public("sets password and passkey for a code that an administrator gave")
def complete() -> ResponseReturnValue:
    code = request.form.get("code", "")
    try:
        enrolling = house().staff.enrolment.open(code)
    except CodeRefused as refused:
        return render_template("staff/code.html", form=CodeForm(formdata=None), refused=refused), 400
    form = EnrolmentForm(second_half_needed=enrolling.needs_second)
    if not form.validate():
        return _enrolment_page(form, enrolling), 400
    given = FirstCredentials(
        code, form.second_half.data or "", form.password.data, form.passkey_name.data, form.answer(browser_secret())
    )
    try:
        house().staff.enrolment.complete(given, request_id())
    except PasswordRefused as refused:
        weak(form.password, refused.weakness)
    except CodeRefused as refused:
        if refused.problem is not CodeProblem.SECOND_WRONG:
            return render_template("staff/code.html", form=CodeForm(formdata=None), refused=refused), 400
        form.second_half.errors = [_("The second code is not right. After five wrong ones you need a new link.")]
    except PasskeyRefused:
        return _enrolment_page(form, enrolling, failed=True), 400
    else:
        return render_template("staff/enrolled.html", person=enrolling.person)
    return _enrolment_page(form, enrolling), 400


def _sign_in_page(form: StaffSignInForm, wanted: str | None, refused: StaffRefused | None = None) -> str:
    prompt = _given(form, house().staff.sign_in.ask(browser_secret()))
    return render_template("staff/sign_in.html", form=form, prompt=prompt, next=wanted, refused=refused)


def _confirm_page(errand: str, *, failed: bool = False) -> str:
    waiting = house().errands.get(present().session.session_id, errand)
    form = PasskeyForm(formdata=None)
    prompt = _given(form, house().staff.sign_in.ask_again(present().actor, browser_secret()))
    return render_template(
        "staff/confirm.html", form=form, prompt=prompt, errand=errand, waiting=waiting, failed=failed
    )


def _enrolment_page(form: EnrolmentForm, enrolling: Enrolling, *, failed: bool = False) -> str:
    prompt = _given(form, house().staff.enrolment.ask(enrolling.person, browser_secret()))
    return render_template("staff/enrol.html", form=form, prompt=prompt, enrolling=enrolling, failed=failed)


def _given(form: PasskeyForm, prompt: Prompt) -> Prompt:
    """A page asks with a new challenge each time: the one before is used up."""
    form.ceremony.data, form.credential.data = prompt.token, ""
    return prompt
