"""Decisions that rest on data, announced before they take effect; and the decision that a dispute is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "announced_decisions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_grounds", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("automated", sa.Boolean(), nullable=False),
        sa.Column("effect_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("announced_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("was_contested", sa.Boolean(), nullable=False),
        sa.Column("was_upheld", sa.Boolean(), nullable=False),
        sa.Column("first_entry", sa.BigInteger(), nullable=False),
        sa.Column("last_entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_announced_decisions"),
    )
    for column in ("organisation", "subject_index", "state"):
        op.create_index(f"ix_announced_decisions_{column}", "announced_decisions", [column])
    op.add_column("disputes", sa.Column("decision", sa.String(36), nullable=True))
    op.create_index("ix_disputes_decision", "disputes", ["decision"])


def downgrade() -> None:
    op.drop_index("ix_disputes_decision", "disputes")
    op.drop_column("disputes", "decision")
    op.drop_table("announced_decisions")
