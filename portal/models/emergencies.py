"""Emergency accesses: who may look at whom until when, and the review that follows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Emergency(Base):
    """One declared emergency about one person. Texts and the personal code are sealed under the row's id."""

    __tablename__ = "emergencies"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_reason: Mapped[bytes] = mapped_column(LargeBinary)
    registries: Mapped[str] = mapped_column(String(2000))
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    requester_name: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    review_due_at: Mapped[datetime] = mapped_column(index=True)
    looks: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str | None] = mapped_column(String(16))
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    reviewed_at: Mapped[datetime | None]
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
