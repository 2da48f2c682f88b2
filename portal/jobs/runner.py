"""Background work on a few threads of this process. What must survive a restart keeps its state in the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

logger = logging.getLogger(__name__)


class JobRunner:
    """A small pool. A job that raises is reported to the ordinary log by its name and error type, without its data."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="job")

    def start(self, name: str, job: Callable[[], None]) -> Future[None]:
        future = self._pool.submit(job)
        future.add_done_callback(lambda done: _report(name, done))
        return future

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _report(name: str, done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        logger.error("job ended in an error", extra={"job": name, "cause": type(error).__name__})
