"""Administrators' pages: the accounts of staff, and what one administrator asks another to approve.

What changes an account is done by a POST with a reason and a fresh proof of who does it. A code is shown in the answer
to that POST, once, and is kept nowhere in the clear.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.actors import Role
from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission
from portal.domain.purposes import Organisation
from portal.services.administration import Done
from portal.services.rights import NotInThatState, OwnAccount
from portal.services.staff_requests import AlreadyAsked
from portal.web.forms.administration import AccountFilterForm, InvitationForm, ReasonedForm, RightsForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id
from portal.web.i18n import gettext as _

blueprint = Blueprint("administration", __name__)

#: What is done to an account by one form that says why.
STEPS = ("sign-out", "close", "reopen", "recover", "stop", "renew")
_REFUSED = (OwnAccount, NotInThatState, AlreadyAsked)


@blueprint.get("/administration")
@requires(Permission.ADMINISTER_ACCOUNTS)
def accounts() -> ResponseReturnValue:
    form = AccountFilterForm(request.args, house().catalogue.organisations.values())
    page = request.args.get("page", 1, type=int)
    found = house().staff.accounts.page(form.wanted(page)) if form.validate() else None
    return render_template(
        "administration/accounts.html",
        form=form,
        found=found,
        waiting=house().staff.requests.waiting(actor()),
        administrators=house().staff.accounts.active_administrators(),
    )


@blueprint.get("/administration/invite")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def invite() -> ResponseReturnValue:
    return render_template("administration/invite.html", form=InvitationForm(_organisations()))


@blueprint.post("/administration/invite")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def send_invitation() -> ResponseReturnValue:
    form = InvitationForm(_organisations())
    if not form.validate():
        return render_template("administration/invite.html", form=form), 400
    return _done(house().staff.administration.invite(actor(), form.invitation(), request_id()))


@blueprint.get("/administration/accounts/<account>")
@requires(Permission.ADMINISTER_ACCOUNTS)
def one(account: str) -> ResponseReturnValue:
    return _page(account)


@blueprint.post("/administration/accounts/<account>/rights")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def change_rights(account: str) -> ResponseReturnValue:
    form = RightsForm(_organisations())
    if not form.validate():
        return _page(account, rights=form), 400
    role, organisation = Role(form.role.data), form.organisation.data
    return _carried_out(
        account,
        lambda: house().staff.administration.change(
            actor(), account, role, organisation, form.reason.data, request_id()
        ),
    )


@blueprint.post("/administration/accounts/<account>/<step>")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def act(account: str, step: str) -> ResponseReturnValue:
    if step not in STEPS:
        raise NothingHere
    form = ReasonedForm().standing_apart(step)
    if not form.validate():
        return _page(account, failed=(step, form)), 400
    desk = house().staff.administration
    acts = {
        "sign-out": desk.sign_out,
        "close": desk.close,
        "reopen": desk.reopen,
        "recover": desk.ask_recovery,
        "stop": desk.stop_recovery,
        "renew": desk.renew_code,
    }
    return _carried_out(account, lambda: acts[step](actor(), account, form.reason.data, request_id()))


@blueprint.get("/administration/requests")
@requires(Permission.ADMINISTER_ACCOUNTS)
def requests() -> ResponseReturnValue:
    return _requests_page()


@blueprint.post("/administration/requests/<reference>/approve")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def approve(reference: str) -> ResponseReturnValue:
    try:
        approved = house().staff.requests.approve(actor(), reference, request_id())
    except _REFUSED as refused:
        return _requests_page(_problem(refused)), 409
    return render_template("administration/approved.html", approved=approved)


@blueprint.post("/administration/requests/<reference>/refuse")
@requires(Permission.ADMINISTER_ACCOUNTS, fresh=FRESH)
def refuse(reference: str) -> ResponseReturnValue:
    try:
        house().staff.requests.refuse(actor(), reference, request_id())
    except _REFUSED as refused:
        return _requests_page(_problem(refused)), 409
    return redirect(url_for("administration.requests"), 303)


def _carried_out(account: str, act: Callable[[], Done]) -> ResponseReturnValue:
    try:
        return _done(act())
    except _REFUSED as refused:
        return _page(account, problem=_problem(refused)), 409


def _done(done: Done) -> ResponseReturnValue:
    """A code is shown in this one answer; without one the account's page says how it stands now."""
    if done.code is None:
        return redirect(url_for("administration.one", account=done.account_id), 303)
    link = f"{house().staff.passkeys.origin}{url_for('staff.enrol')}#{done.code}"
    account = house().staff.accounts.line(done.account_id)
    return render_template("administration/code.html", done=done, link=link, account=account)


def _page(
    account: str,
    *,
    rights: RightsForm | None = None,
    failed: tuple[str, ReasonedForm] | None = None,
    problem: str | None = None,
) -> str:
    line = house().staff.accounts.line(account)
    forms = {step: ReasonedForm(formdata=None).standing_apart(step) for step in STEPS}
    if failed is not None:
        forms[failed[0]] = failed[1]
    return render_template(
        "administration/account.html",
        account=line,
        rights=rights or RightsForm(_organisations(), line.role, line.organisation or ""),
        forms=forms,
        failed=None if failed is None else failed[1],
        problem=problem,
        asked=house().staff.requests.open_about(account, actor()),
        is_own=account == actor().account_id,
        takes_two=house().staff.administration.takes_two(line.role),
    )


def _requests_page(problem: str | None = None) -> str:
    desk = house().staff.requests
    return render_template(
        "administration/requests.html", waiting=desk.waiting(actor()), over=desk.over(actor()), problem=problem
    )


def _organisations() -> list[Organisation]:
    return list(house().catalogue.organisations.values())


def _problem(refused: OwnAccount | NotInThatState | AlreadyAsked) -> str:
    if isinstance(refused, OwnAccount):
        return _("Nobody decides about their own account or their own request. Another administrator has to do it.")
    if isinstance(refused, AlreadyAsked):
        return _("There is a request about this account already. It has to be decided or withdrawn first.")
    return _("The account stands differently by now, or nothing would change. Look at it again before you go on.")
