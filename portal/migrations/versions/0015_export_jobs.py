"""Exports of the trail that are made in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("sealed_criteria", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("problem", sa.String(64)),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(36)),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filename", sa.String(80)),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sealed_key", sa.LargeBinary()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_export_jobs_requested_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_export_jobs"),
    )
    for column in ("requested_by", "state"):
        op.create_index(f"ix_export_jobs_{column}", "export_jobs", [column])


def downgrade() -> None:
    op.drop_table("export_jobs")
