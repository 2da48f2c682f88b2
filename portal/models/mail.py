"""To whom, of what and how often mail is written, and what was sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class AlertSettings(Base):
    """How one person is told. The address is sealed with the account's id as its context.

    `subject_index` is the index under which alerts to the person are raised. Of the link that confirms the address
    only the SHA-256 is kept. `bounces` counts mails that came back for good since the address was confirmed.
    """

    __tablename__ = "alert_settings"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    language: Mapped[str] = mapped_column(String(2))
    zone: Mapped[str] = mapped_column(String(64))
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_state: Mapped[str] = mapped_column(String(16))
    confirm_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    confirm_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    bounces: Mapped[int] = mapped_column(default=0)


class AlertChoice(Base):
    """What one person chose for one topic: a kind of alert, or looks for one purpose."""

    __tablename__ = "alert_choices"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("alert_settings.account_id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[str] = mapped_column(String(80), primary_key=True)
    cadence: Mapped[str] = mapped_column(String(16))
    in_portal: Mapped[bool]


class Mail(Base):
    """One mail on its way. `id` stands in its return address. A link to confirm is sealed, and gone once it is sent."""

    __tablename__ = "mails"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_link: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    worker: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LogCursor(Base):
    """How far a job has read the log: the number of the first entry that it has not seen."""

    __tablename__ = "log_cursors"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)


class KnownDevice(Base):
    """A kind of device on which somebody has signed in before: product names from a fixed list, and nothing finer."""

    __tablename__ = "known_devices"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    browser: Mapped[str] = mapped_column(String(32), primary_key=True)
    system: Mapped[str] = mapped_column(String(32), primary_key=True)
    first_seen_at: Mapped[datetime]
