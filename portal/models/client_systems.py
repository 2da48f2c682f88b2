"""What client systems have shown and been given: assertions that are used up, and access tokens in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class UsedAssertion(Base):
    """A client's assertion that was accepted, by the SHA-256 of client and `jti`, until it would have expired."""

    __tablename__ = "used_assertions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(Base):
    """An access token by its SHA-256, and the thumbprint of the certificate without which it opens nothing."""

    __tablename__ = "access_tokens"

    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(Text)
    thumbprint: Mapped[str] = mapped_column(String(43))
    ends_at: Mapped[datetime] = mapped_column(index=True)
