"""Bounds of what departs from the rule: seals, emergency access, second approvals, lists of people, mandates."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ProtectionSettings(BaseModel):
    """How long each exception may last, and from when on somebody has to look at it.

    `seal_days` bounds what one order, or one prolongation, may reach from the day it is made; `seal_total_days` bounds
    a seal from its first day, however often it is prolonged.
    A supervisor decides on an access that has to be reviewed within `review_days`.
    An emergency access ends after `emergency_minutes` and is to be reviewed within `emergency_review_hours`. A second
    person decides within `approval_hours`, and what they approved may be used within as many. A list of more than
    `bulk_attention` people is shown to the supervisor at once; its results are kept `bulk_keep_days` for the one time
    that they may be fetched. The file of an export of the trail is deleted after `export_keep_days`, the bundle in
    which a person takes all away after `bundle_keep_days`.
    A mandate to act for somebody holds at most `mandate_days`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    seal_days: int = Field(default=90, ge=1, le=366)
    seal_total_days: int = Field(default=365, ge=1, le=1827)
    review_days: int = Field(default=7, ge=1, le=90)
    emergency_minutes: int = Field(default=15, ge=1, le=240)
    emergency_review_hours: int = Field(default=48, ge=1, le=720)
    approval_hours: int = Field(default=24, ge=1, le=168)
    bulk_attention: int = Field(default=100, ge=1, le=10_000)
    bulk_keep_days: int = Field(default=7, ge=1, le=90)
    export_keep_days: int = Field(default=7, ge=1, le=90)
    mandate_days: int = Field(default=365, ge=1, le=1827)
    bundle_keep_days: int = Field(default=3, ge=1, le=30)
