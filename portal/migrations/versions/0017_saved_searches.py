"""Searches that auditors keep and share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner_id", sa.String(36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name="fk_saved_searches_owner_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_searches"),
    )
    op.create_index("ix_saved_searches_owner_id", "saved_searches", ["owner_id"])
    op.create_table(
        "search_shares",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("search_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"], ["saved_searches.id"], name="fk_search_shares_search_id_saved_searches", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_search_shares_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_search_shares"),
        sa.UniqueConstraint("search_id", "account_id", name="uq_search_shares_search_id"),
    )
    op.create_index("ix_search_shares_account_id", "search_shares", ["account_id"])


def downgrade() -> None:
    op.drop_table("search_shares")
    op.drop_table("saved_searches")
