"""Findings, the entries they rest on, and their history. What people wrote is sealed, with the row's id as context."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base


class Finding(Base):
    """One review of one official's looks. `number` counts the findings and is what people call it by."""

    __tablename__ = "findings"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    organisation: Mapped[str | None] = mapped_column(String(64), index=True)
    official: Mapped[str | None] = mapped_column(String(64), index=True)
    sealed_official_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime]
    assigned_to: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    verdict: Mapped[str | None] = mapped_column(String(16))
    sanction: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    evidence: Mapped[list[FindingEvidence]] = relationship(order_by="FindingEvidence.seq")
    steps: Mapped[list[FindingStep]] = relationship(order_by="FindingStep.position")


class FindingEvidence(Base):
    """One entry of the log that the finding rests on."""

    __tablename__ = "finding_evidence"
    __table_args__ = (UniqueConstraint("finding_id", "seq", name="uq_finding_evidence_finding_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.id"), index=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class FindingStep(Base):
    """One step: who did what, when, in which words, and the log's entry that says so."""

    __tablename__ = "finding_steps"
    __table_args__ = (UniqueConstraint("finding_id", "position", name="uq_finding_steps_finding_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]
    entry: Mapped[int] = mapped_column(BigInteger)
    sealed_text: Mapped[bytes | None] = mapped_column(LargeBinary)
