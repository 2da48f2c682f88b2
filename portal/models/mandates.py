"""Mandates that people gave to others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Mandate(Base):
    """One mandate. Who gave it to whom is sealed under the row's id; each side finds its own by a blind index.

    `registries` are codes of the catalogue, joined by commas. `ended_by` is the side that ended it before its time.
    `uses` and `last_used_at` count looks under it. `given_entry` is the number of the giver's log entry.
    """

    __tablename__ = "mandates"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    giver_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    receiver_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    sealed_parties: Mapped[bytes] = mapped_column(LargeBinary)
    registries: Mapped[str] = mapped_column(String(1000))
    given_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(16))
    uses: Mapped[int]
    last_used_at: Mapped[datetime | None]
    given_entry: Mapped[int] = mapped_column(BigInteger)
