"""Findings, their evidence and their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(64)),
        sa.Column("official", sa.String(64)),
        sa.Column("sealed_official_name", sa.LargeBinary()),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_to", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("sanction", sa.String(32)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["assigned_to"], ["accounts.id"], name="fk_findings_assigned_to_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.UniqueConstraint("number", name="uq_findings_number"),
    )
    for column in ("organisation", "official", "assigned_to", "state"):
        op.create_index(f"ix_findings_{column}", "findings", [column])
    op.create_table(
        "finding_evidence",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("finding_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name="fk_finding_evidence_finding_id_findings"),
        sa.PrimaryKeyConstraint("id", name="pk_finding_evidence"),
        sa.UniqueConstraint("finding_id", "seq", name="uq_finding_evidence_finding_id"),
    )
    op.create_index("ix_finding_evidence_finding_id", "finding_evidence", ["finding_id"])
    op.create_table(
        "finding_steps",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("finding_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name="fk_finding_steps_finding_id_findings"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_finding_steps_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_finding_steps"),
        sa.UniqueConstraint("finding_id", "position", name="uq_finding_steps_finding_id"),
    )
    for column in ("finding_id", "account_id"):
        op.create_index(f"ix_finding_steps_{column}", "finding_steps", [column])
