"""gunicorn, set up in code so that one command serves the portal the same everywhere."""

from __future__ import annotations

from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from config.settings import Settings
from portal.app import create_app
from portal.domain.security_events import SecurityEvent
from portal.jobs.schedule import Schedule
from portal.logs import configure_logging
from portal.receiving import PatientWorker
from portal.services.house import House
from portal.services.security_log import announce
from portal.web.bundle_telling import telling

#: A request that needs longer is ended; only streamed exports take long, and those keep their worker's thread busy.
TIMEOUT_SECONDS = 120


class _Logger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own lines, sent where all the others go. Its access log stays off: the portal writes a line of its
    own, which holds no address (`portal/web/request_log.py`)."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.loglevel = self.LOG_LEVELS[cfg.loglevel]
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": PatientWorker,
            "timeout": TIMEOUT_SECONDS,
            "control_socket_disable": True,
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "limit_request_field_size": 8190,
            "loglevel": "warning",
            "logger_class": _Logger,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self._settings)
        house: House = app.extensions["glasshouse"]
        safeguards = house.safeguards
        Schedule(
            {
                "lift seals": safeguards.lifting.lift_due,
                "old lists": safeguards.discard_old_results,
                "overdue reviews": safeguards.emergency_casework.remind,
            }
        ).start()
        # Threads of their own: a slow mail server or a long list must not keep what else is due from its turn.
        Schedule({"lists": safeguards.bulk_runs.resume_due}).start()
        Schedule(
            {"mail": house.mail.round, "complaints": partial(house.disputes.filings.notify_due, house.mail)}
        ).start()
        Schedule({"verification": house.verifications.perform_due}).start()
        Schedule(
            {
                "erased disputes": house.disputes.retention.erase_due,
                "reminders of corrections": house.disputes.corrections.remind_due,
                "old complaints": house.disputes.filings.discard_old,
            }
        ).start()
        Schedule({"exports": house.export_desk.resume_due, "old exports": house.export_desk.discard_old}).start()
        bundles, speakers = house.bundles, telling(app)
        Schedule({"bundles": partial(bundles.resume_due, speakers), "old bundles": bundles.discard_old}).start()
        announce(SecurityEvent.STARTED, mode=self._settings.mode.value, log_size=house.log.checkpoint().checkpoint.size)
        return app


def serve_forever(settings: Settings) -> None:
    """Serve until interrupted. Each worker builds its own portal, so no connection crosses a fork."""
    configure_logging(settings.logs)
    _Server(settings).run()
