"""Cases as the organisations' case systems hand them over: who works on them, and whose data they are about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base


class Case(Base):
    """One case. Its reference is the case system's and unique within the organisation; its id means nothing to others.

    `purpose` is the one purpose for which it opens records. It is closed for good once `closed_at` is set by the case
    system; a case system may open it again.
    """

    __tablename__ = "cases"
    __table_args__ = (UniqueConstraint("organisation", "reference", name="uq_cases_organisation"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    reference: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(100))
    purpose: Mapped[str] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(64))
    team: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    subjects: Mapped[list[CaseSubject]] = relationship(cascade="all, delete-orphan", order_by="CaseSubject.position")
    officials: Mapped[list[CaseOfficial]] = relationship(cascade="all, delete-orphan")


class CaseSubject(Base):
    """One person of a case. The code is sealed with the row's id as its context and found by a blind index."""

    __tablename__ = "case_subjects"
    __table_args__ = (UniqueConstraint("case_id", "subject_index", name="uq_case_subjects_case_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    sealed_personal_code: Mapped[bytes] = mapped_column(LargeBinary)
    position: Mapped[int]


class CaseOfficial(Base):
    """An official to whom a case is assigned."""

    __tablename__ = "case_officials"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
