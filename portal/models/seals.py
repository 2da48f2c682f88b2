"""Seals in force and past: which looks at one person are withheld from them, on whose order, until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Seal(Base):
    """One seal. Whom it is about stands here sealed and without an index: nothing is ever looked for by the person.

    `sealed_subject` holds the personal code under the row's id. `lifted_at` is set once every entry under the seal has
    been revealed; the index finds what is due, at the same cost whoever asks.
    """

    __tablename__ = "seals"
    __table_args__ = (Index("ix_seals_due", "lifted_at", "ends_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    purpose: Mapped[str] = mapped_column(String(64))
    lawful_basis: Mapped[str] = mapped_column(String(300))
    case: Mapped[str] = mapped_column(String(64))
    authority: Mapped[str] = mapped_column(String(64))
    ordered_by: Mapped[str] = mapped_column(String(200))
    order: Mapped[str] = mapped_column("order_reference", String(100))
    registered_at: Mapped[datetime]
    first_end: Mapped[datetime]
    ends_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
