"""An auditor's pages: search the trail, open an entry, verify the log."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.oversight import PAGE_LENGTH, SearchPage, TrailSearch
from portal.web.asking import wanted_of
from portal.web.forms.independence import RevealForm
from portal.web.forms.oversight import SearchForm
from portal.web.guard import requires
from portal.web.house import actor, house, jobs, present, request_id
from portal.web.trail import as_download

blueprint = Blueprint("oversight", __name__)

#: How often the page of a running verification asks again, in seconds.
REFRESH_SECONDS = 2


@blueprint.get("/oversight")
@requires(Permission.SEARCH_TRAIL)
def search() -> ResponseReturnValue:
    return render_template("oversight/search.html", form=SearchForm(house().catalogue), found=None)


@blueprint.post("/oversight")
@requires(Permission.SEARCH_TRAIL)
def results() -> ResponseReturnValue:
    """Rendered at once: what is searched for, a person's code among it, never stands in an address."""
    form = SearchForm(house().catalogue)
    if not form.validate():
        return render_template("oversight/search.html", form=form, found=None), 400
    return show_found(form, wanted_of(form), form.before.data or None)


def show_found(form: SearchForm, wanted: TrailSearch, before: str | None) -> str:
    """A page of what a search finds, once the search is recorded."""
    return show_entries(form, house().oversight.search(actor(), wanted, before=before, request_id=request_id()), before)


def show_entries(form: SearchForm, found: SearchPage, before: str | None) -> str:
    """A page of entries, with the names of those whom this session may see."""
    return render_template(
        "oversight/search.html",
        form=form,
        found=found,
        people=house().identities.of(present().session.session_id, [entry.logged for entry in found.entries]),
        reveal=RevealForm(formdata=None),
        is_first_page=before is None,
        page_length=PAGE_LENGTH,
        catalogue=house().catalogue,
    )


@blueprint.get("/oversight/entries/<reference>")
@requires(Permission.SEARCH_TRAIL)
def entry(reference: str) -> ResponseReturnValue:
    return show_entry(reference, RevealForm(formdata=None))


def show_entry(reference: str, form: RevealForm) -> str:
    """One entry, once the look at it is recorded; `form` asks to see who its people are."""
    found = house().oversight.entry(actor(), reference, request_id=request_id())
    official = None if found.access is None else found.access.official
    findings = [] if official is None else house().findings.open_about(actor(), official)
    people = house().identities.of(present().session.session_id, [found.logged])
    return render_template(
        "oversight/entry.html",
        found=found,
        findings=findings,
        people=people.get(found.logged.seq),
        form=form,
        catalogue=house().catalogue,
    )


@blueprint.get("/oversight/entries/<reference>/receipt")
@requires(Permission.SEARCH_TRAIL)
def receipt(reference: str) -> ResponseReturnValue:
    """With the body only where the session sees whom it names."""
    oversight = house().oversight
    is_revealed = house().identities.is_revealed(present().session.session_id, oversight.shown(actor(), reference))
    return as_download(oversight.receipt(actor(), reference, with_body=is_revealed))


@blueprint.get("/oversight/verification")
@requires(Permission.VERIFY_LOG)
def verification() -> ResponseReturnValue:
    verifications = house().verifications
    runs = verifications.recent()
    return render_template(
        "oversight/verification.html",
        runs=runs,
        standing=verifications.standing(),
        names=house().accounts.names(run.requested_by for run in runs if run.requested_by),
        witnesses=verifications.witnesses(),
    )


@blueprint.post("/oversight/verification")
@requires(Permission.VERIFY_LOG)
def start_verification() -> ResponseReturnValue:
    verifications = house().verifications
    run_id = verifications.request(actor(), request_id=request_id())
    jobs().start("verification", partial(verifications.perform, run_id))
    return redirect(url_for("oversight.verification_run", run_id=run_id), 303)


@blueprint.get("/oversight/verification/<run_id>")
@requires(Permission.VERIFY_LOG)
def verification_run(run_id: str) -> ResponseReturnValue:
    run = house().verifications.run(run_id)
    names = house().accounts.names([run.requested_by] if run.requested_by else [])
    refresh = None if run.is_over else REFRESH_SECONDS
    return render_template("oversight/run.html", run=run, names=names, refresh=refresh)
