"""A secret of the browser that asks, by which an answer is known to come from where the question went."""

from __future__ import annotations

import secrets

from flask import session

_KEY = "browser"


def browser_secret() -> str:
    """The same as long as the browser keeps its session cookie. It signs nobody in."""
    known = session.get(_KEY)
    if not isinstance(known, str):
        known = session[_KEY] = secrets.token_urlsafe(32)
    return known
