"""The cookie that holds a session's token."""

from __future__ import annotations

from typing import Any

from flask import Request, current_app
from werkzeug.wrappers import Response


def token_of(request: Request) -> str | None:
    return request.cookies.get(_name())


def with_token(response: Response, token: str) -> Response:
    response.set_cookie(_name(), token, **_attributes())
    return response


def without_token(response: Response) -> Response:
    response.delete_cookie(_name(), **_attributes())
    return response


def _name() -> str:
    name: str = current_app.config["SIGN_IN_COOKIE"]
    return name


def _attributes() -> dict[str, Any]:
    # No Domain and no Max-Age: for this host alone (the prefix __Host- asks for it), and gone with the browser.
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    return {"path": "/", "secure": secure, "httponly": True, "samesite": "Lax"}
