"""Disputes: what people ask of controllers about their data, and what is written to and fro."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Dispute(Base):
    """One dispute. The person is found by a blind index; whatever was written is sealed.

    `entry` is the contested access, `field_code` the contested datum ("" for all that the registry holds), `decision`
    the announced decision against which the person opened it.
    `paused_on` is set while the clock stands for an identity check (Article 12(6)). `ground` is the one in law of a
    refusal. After `erased_at` only the row is left of the dispute: nothing that was written, and no file.
    """

    __tablename__ = "disputes"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    registry_code: Mapped[str | None] = mapped_column(String(64))
    field_code: Mapped[str] = mapped_column(String(64), default="")
    entry: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(String(36), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    extended_at: Mapped[datetime | None]
    paused_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    ruling: Mapped[str | None] = mapped_column(String(16))
    ground: Mapped[str | None] = mapped_column(String(32))
    erased_at: Mapped[datetime | None]


class DisputeMessage(Base):
    """What was written in one step of a dispute. `author` is the officer's account, None for the person."""

    __tablename__ = "dispute_messages"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    step: Mapped[str] = mapped_column(String(32))
    author: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    written_at: Mapped[datetime]
    log_entry: Mapped[int] = mapped_column(BigInteger)
    sealed_text: Mapped[bytes] = mapped_column(LargeBinary)


class DisputeAttachment(Base):
    """A file beside a message. Its name and its key are sealed; the file lies in a folder under the row's id.

    `scanner` is what looked for malware in it, None where nothing did.
    """

    __tablename__ = "dispute_attachments"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("dispute_messages.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column(BigInteger)
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    scanner: Mapped[str | None] = mapped_column(String(16))
    log_entry: Mapped[int] = mapped_column(BigInteger)


class DisputeRedaction(Base):
    """What the officer withholds of a message or a file of their own side, and why: characters `start` to `end` of its
    text, or all of a file (both None)."""

    __tablename__ = "dispute_redactions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str | None] = mapped_column(ForeignKey("dispute_messages.id", ondelete="CASCADE"))
    attachment_id: Mapped[str | None] = mapped_column(ForeignKey("dispute_attachments.id", ondelete="CASCADE"))
    start: Mapped[int | None]
    end: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(32))
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime]
    log_entry: Mapped[int] = mapped_column(BigInteger)


class DisputeFiling(Base):
    """The file of a dispute on its way to the supervisory authority. It lies sealed under the row's id, with its key
    here, until `expires_at`. `next_try_at` is when the notice by mail goes out, None once it has gone or was given up.
    """

    __tablename__ = "dispute_filings"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id", ondelete="CASCADE"), index=True)
    filed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    log_entry: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    notified_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    fetched_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class CorrectionNotice(Base):
    """One recipient of a value that was found wrong: an official, or (without an account) an organisation's systems.

    `seal` is the seal under which it was received: then the person does not know of it.
    """

    __tablename__ = "correction_notices"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id", ondelete="CASCADE"), index=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    seal: Mapped[str | None] = mapped_column(String(64))
    case: Mapped[str | None] = mapped_column(String(200))
    looks: Mapped[int]
    last_look_at: Mapped[datetime]
    told_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    acknowledged_by_client: Mapped[str | None] = mapped_column(String(64))
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
