"""Something small that a process does again and again, for as long as it lives."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Heartbeat:
    """Calls `beat`, waits `seconds` after it has ended, and calls it again, on a thread of its own.

    A beat that raises is reported by its name and error type, without its data, and does not end the heart.
    """

    def __init__(self, name: str, seconds: float, beat: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._beat = beat
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Heartbeat:
        self._thread.start()
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """End after the beat that is under way. Safe to repeat."""
        self._stopped.set()
        self._thread.join()
        atexit.unregister(self.stop)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next beat may do
                logger.error("%s failed with %s", self._name, type(error).__name__)  # noqa: TRY400 - a trace shows data
            self._stopped.wait(self._seconds)
