"""Work that comes round by itself. Each task finds in the database what is due, so any number of processes may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread

logger = logging.getLogger(__name__)

#: Seconds between two rounds. What people wait for looks by itself when it is read.
ROUND_SECONDS = 30.0


class Schedule:
    """One thread that does every task in each round. A task that raises is named in the ordinary log and comes back."""

    def __init__(self, tasks: Mapping[str, Callable[[], object]], seconds: float = ROUND_SECONDS) -> None:
        self._tasks = tasks
        self._seconds = seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the task at hand."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.round()

    def round(self) -> None:
        """Every task once."""
        for name, task in self._tasks.items():
            if self._stopped.is_set():
                return
            try:
                task()
            except Exception as error:  # noqa: BLE001 - one task must not keep the others from their turn
                logger.error("task ended in an error", extra={"job": name, "cause": type(error).__name__})  # noqa: TRY400
