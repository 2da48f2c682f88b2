"""Disputes, and what is written in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("registry_code", sa.String(64)),
        sa.Column("field_code", sa.String(64), nullable=False),
        sa.Column("entry", sa.BigInteger()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True)),
        sa.Column("paused_on", sa.Date()),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("ruling", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_disputes"),
        sa.UniqueConstraint("number", name="uq_disputes_number"),
    )
    for column in ("subject_index", "organisation", "state"):
        op.create_index(f"ix_disputes_{column}", "disputes", [column])
    op.create_table(
        "dispute_messages",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dispute_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("author", sa.String(36)),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_entry", sa.BigInteger(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_dispute_messages_dispute_id_disputes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["author"], ["accounts.id"], name="fk_dispute_messages_author_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_messages"),
    )
    op.create_index("ix_dispute_messages_dispute_id", "dispute_messages", ["dispute_id"])


def downgrade() -> None:
    op.drop_table("dispute_messages")
    op.drop_table("disputes")
