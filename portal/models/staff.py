"""Staff who sign in with a password and a passkey, and what administrators ask each other about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class StaffCredentials(Base):
    """The local credentials of one account. An account without a row here signs in some other way, or not at all.

    The password's argon2 digest is sealed under the master key with the account's id as its context: a copy of this
    table is not enough to try passwords, and a digest moved to another row opens nothing. `user_handle` is what
    authenticators know the account by; it is random, so that it tells them nothing.
    """

    __tablename__ = "staff_credentials"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    standing: Mapped[str] = mapped_column(String(24))
    user_handle: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    sealed_password: Mapped[bytes | None] = mapped_column(LargeBinary)
    wrong_passwords: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]


class Passkey(Base):
    """One WebAuthn credential. `credential_id` and the public key are no secrets."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(64))
    is_synced: Mapped[bool]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Ceremony(Base):
    """A challenge that waits for its answer. It is deleted by the first answer, right or wrong.

    `browser_digest` digests a secret of the browser that asked, and `account_id` is whose ceremony it is, if that is
    known beforehand: an answer from elsewhere, or for somebody else, finds nothing.
    """

    __tablename__ = "ceremonies"

    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    challenge: Mapped[bytes] = mapped_column(LargeBinary(32))
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    ends_at: Mapped[datetime] = mapped_column(index=True)


class EnrolmentCode(Base):
    """What lets one account set its first password and passkey: one row an account, gone once it was used.

    Only digests are kept. `second_digest` is the half that the second administrator was given, where it takes two.
    """

    __tablename__ = "enrolment_codes"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    second_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    wrong_seconds: Mapped[int] = mapped_column(default=0)
    opens_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class StaffRequest(Base):
    """What one administrator asks another to approve. `code_digest` is the first half of the code it will open.

    `sealed_reason` is sealed with the row's id as its context; rows of before it was sealed have none.
    """

    __tablename__ = "staff_requests"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    organisation: Mapped[str | None] = mapped_column(String(64))
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    requested_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]


class AccountNotice(Base):
    """Something a person is told about their own account until they say that they have read it."""

    __tablename__ = "account_notices"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
