"""Disputes: files, what is blacked out and why, the ground of a refusal, what goes to the authority, and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("disputes", sa.Column("ground", sa.String(32)))
    op.add_column("disputes", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.create_table(
        "dispute_attachments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dispute_id", sa.String(36), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("scanner", sa.String(16)),
        sa.Column("log_entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_dispute_attachments_dispute_id_disputes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["dispute_messages.id"],
            name="fk_dispute_attachments_message_id_dispute_messages",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_attachments"),
    )
    for column in ("dispute_id", "message_id"):
        op.create_index(f"ix_dispute_attachments_{column}", "dispute_attachments", [column])
    _create_redactions()
    _create_filings()
    op.add_column("correction_notices", sa.Column("acknowledged_by_client", sa.String(64)))
    op.add_column("correction_notices", sa.Column("reminders", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("correction_notices", sa.Column("reminded_at", sa.DateTime(timezone=True)))


def _create_redactions() -> None:
    columns = ("message_id", "dispute_messages"), ("attachment_id", "dispute_attachments")
    op.create_table(
        "dispute_redactions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dispute_id", sa.String(36), nullable=False),
        sa.Column("message_id", sa.String(36)),
        sa.Column("attachment_id", sa.String(36)),
        sa.Column("start", sa.Integer()),
        sa.Column("end", sa.Integer()),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("made_by", sa.String(36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_dispute_redactions_dispute_id_disputes", ondelete="CASCADE"
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"fk_dispute_redactions_{column}_{table}", ondelete="CASCADE"
            )
            for column, table in columns
        ),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_dispute_redactions_made_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_redactions"),
    )
    op.create_index("ix_dispute_redactions_dispute_id", "dispute_redactions", ["dispute_id"])


def _create_filings() -> None:
    op.create_table(
        "dispute_filings",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dispute_id", sa.String(36), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary()),
        sa.Column("log_entry", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("notified_at", sa.DateTime(timezone=True)),
        sa.Column("fetched_at", sa.DateTime(timezone=True)),
        sa.Column("fetched_by", sa.String(36)),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_dispute_filings_dispute_id_disputes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["fetched_by"], ["accounts.id"], name="fk_dispute_filings_fetched_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_filings"),
    )
    for column in ("dispute_id", "expires_at", "next_try_at"):
        op.create_index(f"ix_dispute_filings_{column}", "dispute_filings", [column])


def downgrade() -> None:
    for column in ("reminded_at", "reminders", "acknowledged_by_client"):
        op.drop_column("correction_notices", column)
    op.drop_table("dispute_filings")
    op.drop_table("dispute_redactions")
    op.drop_table("dispute_attachments")
    op.drop_column("disputes", "erased_at")
    op.drop_column("disputes", "ground")
