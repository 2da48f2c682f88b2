"""What somebody was about to do when they had to prove again who they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class HeldErrand(Base):
    """One request that waits for a step-up. What was filled in is sealed, and goes when the session does."""

    __tablename__ = "errands"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
