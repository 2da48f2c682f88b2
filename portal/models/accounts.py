"""Who may sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Account(Base):
    """A person in one role. The personal code is sealed under the master key, with the account's id as its context.

    `citizen_index` is a keyed blind index of a citizen's code, by which the account is found again at sign-in; it is
    unique, so that two first sign-ins at once open one account.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        Index("uq_accounts_staff_index", "staff_index", unique=True),
        Index("uq_accounts_citizen_index", "citizen_index", unique=True),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    role: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str | None] = mapped_column(String(64))
    team: Mapped[str | None] = mapped_column(String(64))
    sealed_personal_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    citizen_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    staff_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    persona: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    duties: Mapped[str] = mapped_column(String(200), default="", server_default="")
