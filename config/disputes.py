"""The settings of disputes: which files are taken and how they are scanned, and what happens when."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AttachmentSettings(BaseModel):
    """Where files that people attach lie (sealed), and what looks for malware in them.

    `clamd` is the address of ClamAV's daemon: `unix:/run/clamav/clamd.ctl`, or a host and a port (`127.0.0.1:3310`).
    `scanner = "none"` says on purpose that nothing scans: production takes no files without one or the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    folder: Path = Path("{data_dir}/attachments")
    clamd: str | None = Field(default=None, pattern=r"^(unix:/.+|[A-Za-z0-9.\[\]:-]+:\d{1,5})$")
    scanner: Literal["clamd", "none"] = "clamd"
    timeout_seconds: int = Field(default=30, ge=1, le=120)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.clamd is not None and self.scanner == "none":
            raise ValueError('clamd is given and scanner is "none"; keep one')
        return self

    def are_taken(self, *, is_production: bool) -> bool:
        return self.clamd is not None or self.scanner == "none" or not is_production

    def said_at_start(self, *, is_production: bool) -> str | None:
        """What whoever runs the portal has to know of it; None where there is nothing to say."""
        if self.clamd is not None:
            return None
        if self.are_taken(is_production=is_production):
            return "attachments: files that people attach are taken and nothing scans them for malware"
        return (
            "attachments: off, since nothing would scan them for malware; give attachments.clamd the address of"
            ' ClamAV\'s daemon, or set attachments.scanner = "none" to take them all the same'
        )


class DisputeSettings(BaseModel):
    """Days and addresses.

    What was written in a dispute and attached to it is erased `keep_days` after its end. `authority` is the supervisory
    authority by its code in the catalogue; notices that a file waits for it go to `authority_mail`, and the file waits
    for `filing_days`. Whoever received a value that was found wrong, and has not said after `reminder_days` that they
    took that into account, is reminded, three times at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    keep_days: int = Field(default=1827, ge=30, le=7305)
    authority: str = Field(default="data-protection-inspectorate", pattern=r"^[a-z][a-z0-9-]{0,63}$")
    authority_mail: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
    reminder_days: int = Field(default=14, ge=1, le=366)
    filing_days: int = Field(default=60, ge=1, le=366)
