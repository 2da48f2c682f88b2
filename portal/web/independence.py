"""What keeps auditors honest: people are hidden from them until they ask, and what they do is seen by the others."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance
from portal.domain.permissions import Permission
from portal.web.asking import wanted_of
from portal.web.forms.independence import RevealForm, RevealPageForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, present, request_id
from portal.web.oversight import show_entries, show_entry

blueprint = Blueprint("independence", __name__)


@blueprint.post("/oversight/entries/<reference>/reveal")
@requires(Permission.REVEAL_IDENTITIES, assurance=Assurance.HIGH, fresh=FRESH)
def reveal_entry(reference: str) -> ResponseReturnValue:
    form = RevealForm()
    if not form.validate():
        return show_entry(reference, form), 400
    logged = house().oversight.shown(actor(), reference)
    session_id = present().session.session_id
    house().identities.reveal(actor(), session_id, [logged], form.reason.data, request_id=request_id())
    return redirect(url_for("oversight.entry", reference=reference), 303)


@blueprint.post("/oversight/reveal")
@requires(Permission.REVEAL_IDENTITIES, assurance=Assurance.HIGH, fresh=FRESH)
def reveal_page() -> ResponseReturnValue:
    """The page of results that the reader had before them, rendered at once with names and codes."""
    form = RevealPageForm(house().catalogue)
    if not form.validate():
        return render_template("oversight/reveal.html", form=form), 400
    before = form.before.data or None
    found = house().oversight.search(actor(), wanted_of(form), before=before, request_id=request_id())
    session_id, shown = present().session.session_id, [one.logged for one in found.entries]
    house().identities.reveal(actor(), session_id, shown, form.reason.data, request_id=request_id())
    return show_entries(form, found, before)


@blueprint.get("/oversight/auditors")
@requires(Permission.REVIEW_AUDITORS)
def auditors() -> ResponseReturnValue:
    found = house().auditor_acts.page(actor(), request.args.get("before"), request_id=request_id())
    people = house().identities.of(present().session.session_id, [act.logged for act in found.acts])
    return render_template("oversight/auditors.html", found=found, people=people)


@blueprint.post("/oversight/auditors/<reference>/review")
@requires(Permission.REVIEW_AUDITORS)
def confirm(reference: str) -> ResponseReturnValue:
    house().auditor_acts.confirm(actor(), reference, request_id=request_id())
    return redirect(url_for("independence.auditors"), 303)
