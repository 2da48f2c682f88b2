"""Lists of people whose records are opened under one purpose and case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("registries", sa.String(2000), nullable=False),
        sa.Column("sealed_justification", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(36)),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("fetched_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_bulk_jobs_requested_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_jobs"),
    )
    for column in ("requested_by", "organisation", "state"):
        op.create_index(f"ix_bulk_jobs_{column}", "bulk_jobs", [column])
    op.create_table(
        "bulk_rows",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_code", sa.LargeBinary()),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.String(64)),
        sa.Column("entry", sa.BigInteger()),
        sa.Column("sealed_result", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["job_id"], ["bulk_jobs.id"], name="fk_bulk_rows_job_id_bulk_jobs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_bulk_rows"),
    )
    op.create_index("ix_bulk_rows_outcome", "bulk_rows", ["outcome"])


def downgrade() -> None:
    op.drop_table("bulk_rows")
    op.drop_table("bulk_jobs")
