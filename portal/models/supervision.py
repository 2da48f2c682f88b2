"""What supervisors work with: accesses to review, and absences of officials."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class AccessReview(Base):
    """An access that a supervisor has to look at. It is filed before the record opens, so that none is forgotten.

    It names nobody whose data were opened: `first_entry` and `last_entry` say where the log has the access; they are
    empty when the portal stopped in between, and then nothing was shown. `grounds` are codes, separated by spaces.
    """

    __tablename__ = "access_reviews"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    team: Mapped[str | None] = mapped_column(String(64))
    official: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(64))
    case_reference: Mapped[str | None] = mapped_column(String(64))
    grounds: Mapped[str] = mapped_column(String(200))
    request_id: Mapped[str] = mapped_column(String(64))
    first_entry: Mapped[int | None]
    last_entry: Mapped[int | None]
    filed_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    settled_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    settled_at: Mapped[datetime | None]
    finding: Mapped[str | None] = mapped_column(Text)


class Absence(Base):
    """Days on which an official is away, both included: an access on one of them is conspicuous."""

    __tablename__ = "absences"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    noted_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    noted_at: Mapped[datetime]
