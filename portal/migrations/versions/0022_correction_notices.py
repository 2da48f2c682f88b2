"""Who was told that a value they had received is wrong, and what they answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction_notices",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dispute_id", sa.String(36), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.Column("seal", sa.String(64)),
        sa.Column("case", sa.String(200)),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("last_look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("acknowledged_by", sa.String(36)),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_correction_notices_dispute_id_disputes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_correction_notices_account_id_accounts"),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["accounts.id"], name="fk_correction_notices_acknowledged_by_accounts"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_correction_notices"),
    )
    for column in ("dispute_id", "organisation", "account_id"):
        op.create_index(f"ix_correction_notices_{column}", "correction_notices", [column])


def downgrade() -> None:
    op.drop_table("correction_notices")
