"""gunicorn, set up in code so that one command serves the portal the same everywhere."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from config.settings import Settings
from portal.app import create_app

#: A request that needs longer is ended; only streamed exports take long, and those keep their worker's thread busy.
TIMEOUT_SECONDS = 120


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            "timeout": TIMEOUT_SECONDS,
            "control_socket_disable": True,
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "limit_request_field_size": 8190,
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._settings)


def serve_forever(settings: Settings) -> None:
    """Serve until interrupted. Each worker builds its own portal, so no connection crosses a fork."""
    _Server(settings).run()
