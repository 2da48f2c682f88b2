"""The settings of running the portal: what is logged where, and how much one may ask for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from limits import parse_many
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

MEMORY = "memory://"


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


class LimitsSettings(BaseModel):
    """How much one may ask for, in the notation of the library `limits` ("60/minute;1000/day"); docs/limits.md.

    `storage` is where the counts are kept: this process's memory, or Redis, which production needs, because its
    processes must count together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True
    storage: SecretStr = SecretStr(MEMORY)
    per_address: str = "1200/minute"
    reports_per_address: str = "6000/minute"
    attempts_per_address: str = "60/minute"
    per_account: str = "300/minute"
    lookups_per_account: str = "60/minute;1000/day"
    lookups_per_subject: str = "60/hour"
    searches_per_account: str = "60/minute"
    exports_per_account: str = "20/hour"
    bundles_per_account: str = "5/hour"
    verifications_per_account: str = "10/hour"

    @field_validator("*")
    @classmethod
    def _is_a_limit(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str):
            try:
                parse_many(value)
            except ValueError:
                raise ValueError('write a limit like "60/minute" or "60/minute;1000/day"') from None
        return value

    @property
    def is_in_memory(self) -> bool:
        return self.storage.get_secret_value() == MEMORY


class TimeStampSettings(BaseModel):
    """A time-stamping authority (RFC 3161) that dates the bundles for courts, and its root certificate (PEM)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(pattern=r"^https?://[^\s]+$")
    certificate_file: Path


class VerificationSettings(BaseModel):
    """How often the log is verified by itself; 0 leaves it to `python -m portal verify` and to auditors.

    A full verification replays the whole log, an onward one what came since the last that found it sound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    full_hours: int = Field(default=24, ge=0, le=720)
    onward_minutes: int = Field(default=15, ge=0, le=1440)
