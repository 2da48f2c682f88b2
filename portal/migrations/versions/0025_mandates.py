"""Mandates that people gave to others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "mandates",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("giver_index", sa.LargeBinary(32), nullable=False),
        sa.Column("receiver_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_parties", sa.LargeBinary(), nullable=False),
        sa.Column("registries", sa.String(1000), nullable=False),
        sa.Column("given_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("ended_by", sa.String(16), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("last_used_at", moment, nullable=True),
        sa.Column("given_entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mandates"),
    )
    for column in ("giver_index", "receiver_index"):
        op.create_index(f"ix_mandates_{column}", "mandates", [column])


def downgrade() -> None:
    op.drop_table("mandates")
