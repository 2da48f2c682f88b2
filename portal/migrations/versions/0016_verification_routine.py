"""Verifications that come round by themselves, and those that go on from an earlier one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("verification_runs") as batch:
        batch.alter_column("requested_by", existing_type=sa.String(36), nullable=True)
        batch.add_column(sa.Column("kind", sa.String(16), nullable=False, server_default="full"))
        batch.add_column(sa.Column("since", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("verification_runs") as batch:
        batch.alter_column("kind", existing_type=sa.String(16), server_default=None)
        batch.alter_column("since", existing_type=sa.Integer(), server_default=None)
        batch.create_index("ix_verification_runs_requested_at", ["requested_at"])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM verification_runs WHERE requested_by IS NULL"))
    with op.batch_alter_table("verification_runs") as batch:
        batch.drop_index("ix_verification_runs_requested_at")
        batch.drop_column("since")
        batch.drop_column("kind")
        batch.alter_column("requested_by", existing_type=sa.String(36), nullable=False)
