"""Local accounts of staff: passwords, passkeys, and what administrators approve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "staff_credentials",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("standing", sa.String(24), nullable=False),
        sa.Column("user_handle", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_password", sa.LargeBinary()),
        sa.Column("wrong_passwords", sa.Integer(), nullable=False),
        sa.Column("locked_until", MOMENT),
        _of_account("staff_credentials"),
        sa.PrimaryKeyConstraint("account_id", name="pk_staff_credentials"),
        sa.UniqueConstraint("user_handle", name="uq_staff_credentials_user_handle"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        _of_account("passkeys"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_account_id", "passkeys", ["account_id"])
    op.create_table(
        "ceremonies",
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.Column("ends_at", MOMENT, nullable=False),
        _of_account("ceremonies"),
        sa.PrimaryKeyConstraint("token_digest", name="pk_ceremonies"),
    )
    op.create_index("ix_ceremonies_ends_at", "ceremonies", ["ends_at"])
    op.create_table(
        "enrolment_codes",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("second_digest", sa.LargeBinary(32)),
        sa.Column("wrong_seconds", sa.Integer(), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        _of_account("enrolment_codes"),
        sa.PrimaryKeyConstraint("account_id", name="pk_enrolment_codes"),
        sa.UniqueConstraint("digest", name="uq_enrolment_codes_digest"),
    )
    op.create_table(
        "staff_requests",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("organisation", sa.String(64)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(32)),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(36)),
        sa.Column("decided_at", MOMENT),
        _of_account("staff_requests"),
        _of_account("staff_requests", "requested_by"),
        _of_account("staff_requests", "decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_requests"),
    )
    for column in ("account_id", "ends_at", "state"):
        op.create_index(f"ix_staff_requests_{column}", "staff_requests", [column])
    op.create_table(
        "account_notices",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        _of_account("account_notices"),
        sa.PrimaryKeyConstraint("id", name="pk_account_notices"),
    )
    op.create_index("ix_account_notices_account_id", "account_notices", ["account_id"])


def _of_account(table: str, column: str = "account_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["accounts.id"], name=f"fk_{table}_{column}_accounts")


def downgrade() -> None:
    for table in (
        "account_notices",
        "staff_requests",
        "enrolment_codes",
        "ceremonies",
        "passkeys",
        "staff_credentials",
    ):
        op.drop_table(table)
