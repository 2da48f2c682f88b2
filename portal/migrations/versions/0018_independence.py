"""What auditors have had revealed, and which acts of auditors were reviewed by another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reveals",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_reveals_session_id_sessions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reveals"),
        sa.UniqueConstraint("session_id", "seq", name="uq_reveals_session_id"),
    )
    op.create_index("ix_reveals_ends_at", "reveals", ["ends_at"])
    op.create_table(
        "auditor_reviews",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_auditor_reviews_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_auditor_reviews"),
        sa.UniqueConstraint("seq", name="uq_auditor_reviews_seq"),
    )
    op.create_index("ix_auditor_reviews_account_id", "auditor_reviews", ["account_id"])


def downgrade() -> None:
    op.drop_table("auditor_reviews")
    op.drop_table("reveals")
