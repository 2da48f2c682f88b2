"""Searches that auditors keep, and with whom they share them. What is looked for is sealed: it may hold a code."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base


class SavedSearch(Base):
    """One search of one auditor: name, reason and criteria, sealed with the row's id as context."""

    __tablename__ = "saved_searches"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime]
    shares: Mapped[list[SearchShare]] = relationship(order_by="SearchShare.shared_at", cascade="all, delete-orphan")


class SearchShare(Base):
    """That one colleague sees one search in their list."""

    __tablename__ = "search_shares"
    __table_args__ = (UniqueConstraint("search_id", "account_id", name="uq_search_shares_search_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    search_id: Mapped[str] = mapped_column(ForeignKey("saved_searches.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    shared_at: Mapped[datetime]
