"""A member of staff's own account: what they are told, their passkeys, their password."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.passkeys import LastPasskey, TooManyPasskeys
from portal.services.password_rules import PasswordRefused
from portal.services.passwords import Check
from portal.services.relying_party import PasskeyRefused
from portal.web.browsers import browser_secret
from portal.web.forms.staff import NewPasskeyForm, PasswordForm, weak
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, present, request_id
from portal.web.i18n import gettext as _

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@requires(Permission.MANAGE_OWN_CREDENTIALS)
def overview() -> ResponseReturnValue:
    staff = house().staff
    has_local = staff.own.has_local_credentials(actor())
    return render_template(
        "account/overview.html",
        passkeys=staff.own.passkeys(actor()) if has_local else None,
        notices=staff.notices.unread(actor().account_id),
        recovery=staff.requests.recovery_of(actor()),
        problem=None,
    )


@blueprint.post("/account/notices")
@requires(Permission.MANAGE_OWN_CREDENTIALS)
def read_notices() -> ResponseReturnValue:
    house().staff.notices.mark_read(actor().account_id)
    return redirect(url_for("account.overview"), 303)


@blueprint.post("/account/recovery/stop")
@requires(Permission.MANAGE_OWN_CREDENTIALS)
def stop_recovery() -> ResponseReturnValue:
    house().staff.requests.stop_own_recovery(actor(), request_id())
    return redirect(url_for("account.overview"), 303)


@blueprint.get("/account/passkeys/add")
@requires(Permission.MANAGE_OWN_CREDENTIALS, fresh=FRESH)
def new_passkey() -> ResponseReturnValue:
    return _passkey_page(NewPasskeyForm(formdata=None))


@blueprint.post("/account/passkeys/add")
@requires(Permission.MANAGE_OWN_CREDENTIALS, fresh=FRESH)
def add_passkey() -> ResponseReturnValue:
    form = NewPasskeyForm()
    if not form.validate():
        return _passkey_page(form), 400
    try:
        house().staff.own.add_passkey(present(), form.passkey_name.data, form.answer(browser_secret()), request_id())
    except PasskeyRefused:
        return _passkey_page(form, failed=True), 400
    except TooManyPasskeys:
        form.passkey_name.errors = [_("You have as many passkeys as an account may have. Remove one first.")]
        return _passkey_page(form), 400
    return redirect(url_for("account.overview"), 303)


@blueprint.post("/account/passkeys/remove")
@requires(Permission.MANAGE_OWN_CREDENTIALS, fresh=FRESH)
def remove_passkey() -> ResponseReturnValue:
    try:
        house().staff.own.remove_passkey(present(), request.form.get("passkey", ""), request_id())
    except LastPasskey:
        problem = _("This is your only passkey. Add another one first: without any you could not sign in.")
        passkeys = house().staff.own.passkeys(actor())
        return (
            render_template("account/overview.html", passkeys=passkeys, notices=[], recovery=None, problem=problem),
            400,
        )
    return redirect(url_for("account.overview"), 303)


@blueprint.get("/account/password")
@requires(Permission.MANAGE_OWN_CREDENTIALS)
def password() -> ResponseReturnValue:
    house().staff.own.passkeys(actor())  # nothing here for an account without a password
    return render_template("account/password.html", form=PasswordForm(formdata=None))


@blueprint.post("/account/password")
@requires(Permission.MANAGE_OWN_CREDENTIALS)
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate():
        return render_template("account/password.html", form=form), 400
    try:
        check = house().staff.own.change_password(present(), form.current.data, form.new.data, request_id())
    except PasswordRefused as refused:
        weak(form.new, refused.weakness)
        return render_template("account/password.html", form=form), 400
    if check is Check.RIGHT:
        return redirect(url_for("account.overview"), 303)
    words = {
        Check.WRONG: _("This is not your password."),
        Check.LOCKS: _("This is not your password. It was wrong too often, so no further one is tried for 15 minutes."),
        Check.LOCKED: _("A password was wrong too often, so no further one is tried for 15 minutes."),
    }
    form.current.errors = [words[check]]
    return render_template("account/password.html", form=form), 400


def _passkey_page(form: NewPasskeyForm, *, failed: bool = False) -> str:
    prompt = house().staff.own.ask_for_new(actor(), browser_secret())
    form.ceremony.data, form.credential.data = prompt.token, ""
    return render_template("account/new_passkey.html", form=form, prompt=prompt, failed=failed)
