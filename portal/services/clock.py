"""The time of day, as something a test can set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

#: Gives the present moment, aware, in UTC. It never decides the order of entries: the log does.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)
