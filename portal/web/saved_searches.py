"""An auditor's saved searches: kept after a search, run again, renamed, shared, deleted."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.web.asking import form_of, wanted_of
from portal.web.forms.oversight import SearchForm
from portal.web.forms.saved_searches import ColleagueForm, NameForm, SaveForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.oversight import show_found

blueprint = Blueprint("saved_searches", __name__)


@blueprint.get("/oversight/searches")
@requires(Permission.SEARCH_TRAIL)
def overview() -> ResponseReturnValue:
    kept = [(search, form_of(search).in_words()) for search in house().saved_searches.overview(actor())]
    colleagues = house().saved_searches.colleagues(actor())
    return render_template("oversight/searches.html", kept=kept, colleagues=colleagues)


@blueprint.post("/oversight/searches/new")
@requires(Permission.SEARCH_TRAIL)
def new() -> ResponseReturnValue:
    """The criteria come with the form that led here; a name and a reason are still to be given."""
    asked = SearchForm(house().catalogue)
    if not asked.validate():
        return render_template("oversight/search.html", form=asked, found=None), 400
    return render_template("oversight/save.html", form=SaveForm(house().catalogue))


@blueprint.post("/oversight/searches")
@requires(Permission.SEARCH_TRAIL)
def save() -> ResponseReturnValue:
    form = SaveForm(house().catalogue)
    if not form.validate():
        return render_template("oversight/save.html", form=form), 400
    name, reason = form.search_name.data, form.reason.data
    house().saved_searches.save(actor(), wanted_of(form), name, reason, request_id=request_id())
    return redirect(url_for("saved_searches.overview"), 303)


@blueprint.post("/oversight/searches/<search>/run")
@requires(Permission.SEARCH_TRAIL)
def run(search: str) -> ResponseReturnValue:
    kept = house().saved_searches.search(actor(), search)
    return show_found(form_of(kept), kept.wanted, None)


@blueprint.post("/oversight/searches/<search>/name")
@requires(Permission.SEARCH_TRAIL)
def rename(search: str) -> ResponseReturnValue:
    kept, form = house().saved_searches.search(actor(), search), NameForm()
    if not form.validate():
        return render_template("oversight/rename.html", kept=kept, form=form), 400
    house().saved_searches.rename(actor(), search, form.search_name.data, request_id=request_id())
    return redirect(url_for("saved_searches.overview"), 303)


@blueprint.get("/oversight/searches/<search>/name")
@requires(Permission.SEARCH_TRAIL)
def new_name(search: str) -> ResponseReturnValue:
    kept = house().saved_searches.search(actor(), search)
    return render_template("oversight/rename.html", kept=kept, form=NameForm(search_name=kept.name))


@blueprint.post("/oversight/searches/<search>/deletion")
@requires(Permission.SEARCH_TRAIL)
def delete(search: str) -> ResponseReturnValue:
    house().saved_searches.delete(actor(), search, request_id=request_id())
    return redirect(url_for("saved_searches.overview"), 303)


@blueprint.post("/oversight/searches/<search>/share")
@requires(Permission.SEARCH_TRAIL)
def share(search: str) -> ResponseReturnValue:
    house().saved_searches.share(actor(), search, ColleagueForm().account.data or "", request_id=request_id())
    return redirect(url_for("saved_searches.overview"), 303)


@blueprint.post("/oversight/searches/<search>/withdrawal")
@requires(Permission.SEARCH_TRAIL)
def withdraw(search: str) -> ResponseReturnValue:
    house().saved_searches.withdraw(actor(), search, ColleagueForm().account.data or "", request_id=request_id())
    return redirect(url_for("saved_searches.overview"), 303)
