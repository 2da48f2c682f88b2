"""Keeping the log's published checkpoint cosigned, in every process that serves the portal."""

from __future__ import annotations

from audit.log import AuditLog
from portal.jobs.heartbeat import Heartbeat

#: A checkpoint is shown to the witnesses at most so often.
SECONDS = 1.0


def ask_witnesses_for_ever(log: AuditLog) -> Heartbeat:
    """Ask the log's witnesses about each new checkpoint. Processes on one machine take turns."""
    return Heartbeat("witnessing", SECONDS, log.ask_witnesses).start()
