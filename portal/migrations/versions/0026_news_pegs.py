"""Auditors' notes that somebody was in the news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "news_pegs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_words", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(36), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(36)),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["set_by"], ["accounts.id"], name="fk_news_pegs_set_by_accounts"),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["accounts.id"], name="fk_news_pegs_withdrawn_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_news_pegs"),
    )
    op.create_index("ix_news_pegs_set_by", "news_pegs", ["set_by"])


def downgrade() -> None:
    op.drop_table("news_pegs")
