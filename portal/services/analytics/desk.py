"""Where figures are asked for: on the tables while they are fresh, else on the log's own database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from obstore.store import LocalStore, ObjectStore, from_url

from audit.log import AuditLog
from portal.services.analytics.engines import Engine, LakeEngine, LogEngine
from portal.services.analytics.lake import Lake, LakeState, LakeUnreadable
from portal.services.clock import Clock

#: Tables older than this are brought up to date when somebody asks; much older ones are not believed to be complete.
FRESH = timedelta(hours=1)
STALE = timedelta(days=1)


def store_at(place: str) -> ObjectStore:
    """A folder, which is made when it is not there, or an object store's URL ("s3://bucket/prefix").

    Credentials of an object store come from the environment, as its own tools read them (AWS_…).
    """
    return from_url(place) if "://" in place else LocalStore(Path(place).absolute(), mkdir=True)


class Analytics:
    """The engine for a measure, and the tables' upkeep."""

    def __init__(self, log: AuditLog, lake: Lake, clock: Clock) -> None:
        self._log = log
        self._lake = lake
        self._clock = clock

    def engine(self) -> Engine:
        """The tables when they were refreshed within a day and can be read; the log's database otherwise."""
        try:
            state = self._lake.state()
        except LakeUnreadable:
            return LogEngine(self._log)
        return LogEngine(self._log) if self._is_older(state, STALE) else LakeEngine(self._lake, state)

    def as_of(self) -> datetime | None:
        """When the tables that `engine` measures were refreshed; None where it measures the log itself."""
        try:
            state = self._lake.state()
        except LakeUnreadable:
            return None
        return None if self._is_older(state, STALE) else state.refreshed_at

    def is_due(self) -> bool:
        """Whether the tables should be brought up to date."""
        try:
            return self._is_older(self._lake.state(), FRESH)
        except LakeUnreadable:
            return False  # a refresh would be refused; the operator is told by the command that refreshes

    def refresh(self, progress: Callable[[int, int], None] | None = None) -> LakeState:
        """Bring the tables up to date; errors as `Lake.refresh`."""
        return self._lake.refresh(self._log, progress)

    def _is_older(self, state: LakeState, age: timedelta) -> bool:
        return state.refreshed_at is None or self._clock() - state.refreshed_at > age
