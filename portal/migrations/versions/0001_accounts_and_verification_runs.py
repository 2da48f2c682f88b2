"""Accounts, and the runs of the log's verification."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("organisation", sa.String(64)),
        sa.Column("sealed_personal_code", sa.LargeBinary()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("persona", sa.String(64)),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_table(
        "verification_runs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("requested_by", sa.String(36), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(64)),
        sa.Column("first_broken", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name="fk_verification_runs_requested_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_verification_runs"),
    )
    op.create_index("ix_verification_runs_requested_by", "verification_runs", ["requested_by"])


def downgrade() -> None:
    op.drop_table("verification_runs")
    op.drop_table("accounts")
