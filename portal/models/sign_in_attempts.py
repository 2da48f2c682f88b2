"""Sign-ins that were begun at a provider and have not come back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class SignInAttempt(Base):
    """One use of a `state`: known by its SHA-256, deleted when it comes back. Nonce and PKCE verifier are sealed."""

    __tablename__ = "sign_in_attempts"

    state_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    ends_at: Mapped[datetime] = mapped_column(index=True)
