"""Emergency accesses, and the duties of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("duties", sa.String(200), server_default="", nullable=False))
    op.create_table(
        "emergencies",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("registries", sa.String(2000), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("requester_name", sa.String(200), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reviewed_by", sa.String(36)),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("sealed_note", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_emergencies_requested_by_accounts"),
        sa.ForeignKeyConstraint(["reviewed_by"], ["accounts.id"], name="fk_emergencies_reviewed_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_emergencies"),
    )
    for column in ("requested_by", "organisation", "review_due_at", "reviewed_by"):
        op.create_index(f"ix_emergencies_{column}", "emergencies", [column])


def downgrade() -> None:
    op.drop_table("emergencies")
    with op.batch_alter_table("accounts") as batch:
        batch.drop_column("duties")
