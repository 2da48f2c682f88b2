"""Bundles in which people take all away that government holds on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("state IN ('waiting', 'running')")


def upgrade() -> None:
    op.create_table(
        "bundle_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
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
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("is_encrypted", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("file_header", sa.LargeBinary()),
        sa.Column("sealed_file_key", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_bundle_jobs_requested_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_bundle_jobs"),
    )
    for column in ("requested_by", "state"):
        op.create_index(f"ix_bundle_jobs_{column}", "bundle_jobs", [column])
    op.create_index(
        "uq_bundle_jobs_one_open",
        "bundle_jobs",
        ["requested_by"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )


def downgrade() -> None:
    op.drop_table("bundle_jobs")
