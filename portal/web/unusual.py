"""An auditor has the looks of a period ranked, reads first what nothing explains, and notes who was in the news."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.permissions import Permission
from portal.services.news_pegs import DayToCome
from portal.services.unusual_looks import SPANS
from portal.web.forms.news import NewsForm
from portal.web.guard import requires
from portal.web.house import actor, house, jobs, present, request_id
from portal.web.i18n import gettext as _

blueprint = Blueprint("unusual", __name__)

#: How often the page of a running ranking asks again, in seconds.
REFRESH_SECONDS = 2


@blueprint.get("/oversight/unusual")
@requires(Permission.RANK_LOOKS)
def overview() -> ResponseReturnValue:
    return render_template("unusual/overview.html", runs=house().unusual.recent(actor()), spans=SPANS)


@blueprint.post("/oversight/unusual")
@requires(Permission.RANK_LOOKS)
def start() -> ResponseReturnValue:
    days = request.form.get("days", "")
    if days not in map(str, SPANS):
        raise NothingHere
    unusual = house().unusual
    run_id = unusual.request(actor(), int(days), request_id=request_id())
    jobs().start("unusual looks", partial(unusual.perform, actor(), run_id))
    return redirect(url_for("unusual.run", run_id=run_id), 303)


@blueprint.get("/oversight/unusual/<run_id>")
@requires(Permission.RANK_LOOKS)
def run(run_id: str) -> ResponseReturnValue:
    found = house().unusual.run(actor(), run_id)
    people = house().identities.of(present().session.session_id, [one.logged for one in found.found])
    refresh = None if found.is_over else REFRESH_SECONDS
    return render_template("unusual/run.html", run=found, people=people, refresh=refresh)


@blueprint.get("/oversight/unusual/news")
@requires(Permission.RANK_LOOKS)
def news() -> ResponseReturnValue:
    """The notes, and the form for another. `about` is the reference of an entry: then the person is the one of it."""
    form = NewsForm(formdata=None)
    form.like.data = request.args.get("about")
    return _news(form)


@blueprint.post("/oversight/unusual/news")
@requires(Permission.RANK_LOOKS)
def note_news() -> ResponseReturnValue:
    form = NewsForm()
    if not form.validate() or form.day.data is None:
        return _news(form), 400
    like = form.like.data
    subject = house().oversight.person_of(actor(), like) if like else PersonalCode.parse(form.subject.data)
    try:
        house().news.set(actor(), subject, form.day.data, form.words.data, request_id=request_id())
    except DayToCome:
        form.day.errors = [_("The day must not be later than today.")]
        return _news(form), 400
    return redirect(url_for("unusual.news"), 303)


@blueprint.post("/oversight/unusual/news/<peg_id>/withdrawal")
@requires(Permission.RANK_LOOKS)
def withdraw_news(peg_id: str) -> ResponseReturnValue:
    house().news.withdraw(actor(), peg_id, request_id=request_id())
    return redirect(url_for("unusual.news"), 303)


def _news(form: NewsForm) -> str:
    pegs = house().news.standing()
    if form.like.data:
        house().oversight.person_of(actor(), form.like.data)  # NothingHere for a reference that was made up
    return render_template(
        "unusual/news.html", form=form, pegs=pegs, names=house().accounts.names(peg.set_by for peg in pegs)
    )
