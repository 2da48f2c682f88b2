"""Seals, and alerts to those who must know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("lawful_basis", sa.String(300), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("authority", sa.String(64), nullable=False),
        sa.Column("ordered_by", sa.String(200), nullable=False),
        sa.Column("order_reference", sa.String(100), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_seals_requested_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_seals"),
    )
    op.create_index("ix_seals_requested_by", "seals", ["requested_by"])
    op.create_index("ix_seals_organisation", "seals", ["organisation"])
    op.create_index("ix_seals_due", "seals", ["lifted_at", "ends_at"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.Column("subject_index", sa.LargeBinary(32)),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("place", sa.String(64)),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("mailed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_alerts_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    for column in ("account_id", "subject_index", "mailed_at"):
        op.create_index(f"ix_alerts_{column}", "alerts", [column])


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("seals")
