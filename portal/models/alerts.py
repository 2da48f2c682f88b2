"""What somebody must know of, until they have seen it; and the outbox from which it goes out by e-mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, true
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Alert(Base):
    """One alert to one account, or to whoever signs in as one person (`subject_index`, a keyed blind index).

    It names no person whose data it is about: `place` is an id within the portal, which opens only to those who may see
    it. `in_portal` is False for what the person wants to be told of by mail alone. `mail_due_at` is when it goes out
    by mail, empty until that is planned; `mailed_at` is when a mail in the outbox took it up.
    """

    __tablename__ = "alerts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    subject_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    place: Mapped[str | None] = mapped_column(String(64))
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None] = mapped_column(index=True)
    in_portal: Mapped[bool] = mapped_column(default=True, server_default=true())
    mail_due_at: Mapped[datetime | None] = mapped_column(index=True)
    #: Of many like events that share this alert, the newest that was told.
    newest_entry: Mapped[int | None] = mapped_column(BigInteger)
