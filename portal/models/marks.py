"""Marks on what registries hold: a record is contested, or its use restricted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class RecordMark(Base):
    """A mark on what a registry holds on a person. `field_code` is empty where it is on the whole record."""

    __tablename__ = "record_marks"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    registry_code: Mapped[str] = mapped_column(String(64))
    field_code: Mapped[str] = mapped_column(String(64), default="")
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
