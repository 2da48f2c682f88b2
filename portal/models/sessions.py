"""Who is signed in, and where."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class SignedInSession(Base):
    """One session of one account. It is deleted when it ends: what happened is in the log, not here.

    `token_digest` is the SHA-256 of what the cookie holds, so that a copy of this table signs nobody in. `role` is the
    account's role at sign-in: a session never outlives it. `method`, `assurance` and `proved_at` are those of the last
    proof, at sign-in or at a step-up. `provider_session` is a keyed blind index of the provider's
    `sid`, and the ID token is sealed with the session's id as its context. `network` is a keyed blind index of the
    network from which that proof came: it can be compared and not read.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    method: Mapped[str] = mapped_column(String(16))
    assurance: Mapped[str] = mapped_column(String(16))
    browser: Mapped[str] = mapped_column(String(32))
    system: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    provider_session: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    network: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed_id_token: Mapped[bytes | None] = mapped_column(LargeBinary)
