"""The settings of running the portal: what is logged where."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class LogFormat(StrEnum):
    """How a line of the ordinary log is written."""

    JSON = "json"
    CONSOLE = "console"


class LogsSettings(BaseModel):
    """docs/security-events.md explains the two streams.

    `format` is JSON in production and for people otherwise; `security` is `stdout`, `stderr` or a file, standard output
    in production and a file beside the demonstration's data otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: LogFormat | None = None
    level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    security: str | None = None
