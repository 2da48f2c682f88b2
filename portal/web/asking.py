"""From an auditor's form to a search, and from a search that was kept back to the form.

A person's code that the auditor did not type never reaches a page: the form then says which saved search, or which
entry, names the person.
"""

from __future__ import annotations

from dataclasses import replace

from werkzeug.datastructures import MultiDict

from portal.services.oversight import TrailSearch
from portal.services.saved_searches import Kept
from portal.web.forms.oversight import SearchForm
from portal.web.house import actor, house


def wanted_of(form: SearchForm) -> TrailSearch:
    """What a valid form asks for. Raises NothingHere where the search or entry that it names is none of the actor's."""
    wanted = form.wanted()
    if form.saved.data:
        wanted = replace(wanted, subject=house().saved_searches.search(actor(), form.saved.data).wanted.subject)
    if form.like.data:
        wanted = replace(wanted, subject=house().oversight.person_of(actor(), form.like.data))
    if form.by.data:
        wanted = replace(wanted, official=house().oversight.official_of(actor(), form.by.data))
    return wanted


def form_of(kept: Kept) -> SearchForm:
    """The form as it was filled in, the person left to the saved search."""
    wanted = kept.wanted
    said: list[tuple[str, str]] = [
        (name, value)
        for name in ("organisation", "official", "role", "purpose", "registry", "field", "case", "action", "outcome")
        if (value := getattr(wanted, name))
    ]
    for name in ("automatic", "break_glass", "sealed"):
        if (either := getattr(wanted, name)) is not None:
            said.append((name, "yes" if either else "no"))
    for name in ("since", "until"):
        if (day := getattr(wanted, name)) is not None:
            said += [(name, str(part)) for part in (day.day, day.month, day.year)]
    if wanted.subject is not None:
        said.append(("saved", kept.search_id))
    return SearchForm(house().catalogue, MultiDict(said))
