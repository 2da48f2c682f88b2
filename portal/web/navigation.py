"""What stands in the navigation for each role."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import lazy_gettext as _l

from portal.domain.actors import Role
from portal.web.house import actor_or_none

_ITEMS = {
    Role.CITIZEN: (
        ("home.me", _l("Overview")),
        ("records.overview", _l("My data")),
        ("trail.history", _l("Who looked")),
    ),
    Role.CASEWORKER: (
        ("casework.start", _l("Open a record")),
        ("casework.history", _l("What I opened")),
    ),
    Role.AUDITOR: (
        ("oversight.search", _l("Search the trail")),
        ("oversight.verification", _l("Verify the log")),
    ),
}


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the navigation; `is_current` when the page belongs to it."""

    text: str
    href: str
    is_current: bool


def init_navigation(app: Flask) -> None:
    app.context_processor(lambda: {"nav_items": _items(), "viewer": actor_or_none()})


def _items() -> list[NavigationItem]:
    viewer = actor_or_none()
    if viewer is None:
        return []
    return [
        NavigationItem(str(text), url_for(endpoint), request.endpoint == endpoint)
        for endpoint, text in _ITEMS[viewer.role]
    ]
