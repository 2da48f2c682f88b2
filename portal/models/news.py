"""News pegs: an auditor's note that somebody was in the news, so that looks out of curiosity stand out."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class NewsPeg(Base):
    """One note. Whom it is about, and what the news was, are sealed under the row's id; nothing finds it by the person.

    `entry` is where the log has it. A note that was taken back stays, and has no effect any more.
    """

    __tablename__ = "news_pegs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_words: Mapped[bytes] = mapped_column(LargeBinary)
    day: Mapped[date]
    set_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    set_at: Mapped[datetime]
    withdrawn_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    withdrawn_at: Mapped[datetime | None]
