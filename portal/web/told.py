"""How you are told: the address, the choices, the log of what was sent; and the link that stops it all."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.mail.addresses import LinkOver, TooManyConfirmations
from portal.web.forms.told import AddressForm, ChoicesForm
from portal.web.guard import public, requires
from portal.web.house import actor, house, request_id
from portal.web.i18n import gettext as _
from portal.web.i18n import language

blueprint = Blueprint("told", __name__)


@blueprint.get("/me/alerts")
@requires(Permission.MANAGE_OWN_ALERTS)
def page() -> ResponseReturnValue:
    return _page(AddressForm(formdata=None))


@blueprint.post("/me/alerts")
@requires(Permission.MANAGE_OWN_ALERTS)
def choose() -> ResponseReturnValue:
    form = ChoicesForm.for_topics(house().mail.addresses.topics)()
    form.offer_zones()
    if not form.validate():
        return _page(AddressForm(formdata=None), form), 400
    house().mail.addresses.choose(actor(), form.wanted(), form.language.data, form.zone.data, request_id())
    return redirect(url_for("told.page"), 303)


@blueprint.post("/me/alerts/address")
@requires(Permission.MANAGE_OWN_ALERTS)
def give_address() -> ResponseReturnValue:
    form = AddressForm()
    if not form.validate():
        return _page(form), 400
    room = house().mail
    try:
        room.addresses.give(actor(), form.wanted(), language(), room.base_url, request_id())
    except TooManyConfirmations:
        form.address.errors = [_("You gave an address too often today. Try again tomorrow.")]
        return _page(form), 400
    return redirect(url_for("told.page"), 303)


@blueprint.post("/me/alerts/address/remove")
@requires(Permission.MANAGE_OWN_ALERTS)
def remove_address() -> ResponseReturnValue:
    house().mail.addresses.remove(actor(), request_id())
    return redirect(url_for("told.page"), 303)


@blueprint.post("/me/alerts/address/resume")
@requires(Permission.MANAGE_OWN_ALERTS)
def resume() -> ResponseReturnValue:
    house().mail.addresses.resume(actor(), request_id())
    return redirect(url_for("told.page"), 303)


@blueprint.get("/me/alerts/confirm/<reference>")
@requires(Permission.MANAGE_OWN_ALERTS)
def confirm(reference: str) -> ResponseReturnValue:
    """Only a button: a mail program that opens every link must not use the link up."""
    return render_template("told/confirm.html", reference=reference, is_over=False)


@blueprint.post("/me/alerts/confirm/<reference>")
@requires(Permission.MANAGE_OWN_ALERTS)
def confirm_address(reference: str) -> ResponseReturnValue:
    try:
        house().mail.addresses.confirm(actor(), reference, request_id())
    except LinkOver:
        return render_template("told/confirm.html", reference=reference, is_over=True), 400
    return redirect(url_for("told.page"), 303)


@blueprint.get("/mail/stop/<token>")
@public("asks whether to stop; shows nothing of anybody, whatever the link is")
def stop(token: str) -> ResponseReturnValue:
    return render_template("told/stop.html", token=token, is_done=False)


@blueprint.post("/mail/stop/<token>")
@public("does what the sealed link says and nothing else; answers alike for a link that is nobody's")
def stop_mail(token: str) -> ResponseReturnValue:
    """A person's button, or a mail program's one click (RFC 8058), which knows no page and so no mark of ours."""
    house().mail.addresses.stop(token, request_id())
    return render_template("told/stop.html", token=token, is_done=True)


def _page(address: AddressForm, chosen: ChoicesForm | None = None) -> str:
    room = house().mail
    told = room.addresses.told(actor(), language())
    if chosen is None:
        chosen = ChoicesForm.for_topics(room.addresses.topics)(formdata=None)
        chosen.offer_zones()
        chosen.show(told)
    return render_template("told/page.html", told=told, address=address, form=chosen, can_send=room.can_send)
