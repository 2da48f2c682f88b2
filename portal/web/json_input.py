"""JSON from outside: nested so deep that the parser gives up, it is a mistake of the sender's and no error of ours."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider


class CarefulJson(DefaultJSONProvider):
    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Raises ValueError, which Flask answers with 400."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deep") from None


def init_json(app: Flask) -> None:
    app.json = CarefulJson(app)
