"""Cases and teams, reviews and absences, and marks on records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("team", sa.String(64)))
    _cases()
    _supervision()
    op.create_table(
        "record_marks",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(32), nullable=False),
        sa.Column("registry_code", sa.String(64), nullable=False),
        sa.Column("field_code", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_record_marks"),
    )
    op.create_index("ix_record_marks_subject_index", "record_marks", ["subject_index"])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("team", sa.String(64)),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("organisation", "reference", name="uq_cases_organisation"),
    )
    op.create_table(
        "case_subjects",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_personal_code", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_subjects_case_id_cases"),
        sa.PrimaryKeyConstraint("id", name="pk_case_subjects"),
        sa.UniqueConstraint("case_id", "subject_index", name="uq_case_subjects_case_id"),
    )
    for column in ("case_id", "subject_index"):
        op.create_index(f"ix_case_subjects_{column}", "case_subjects", [column])
    op.create_table(
        "case_officials",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_officials_case_id_cases"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_case_officials_account_id_accounts"),
        sa.PrimaryKeyConstraint("case_id", "account_id", name="pk_case_officials"),
    )
    op.create_index("ix_case_officials_account_id", "case_officials", ["account_id"])


def _supervision() -> None:
    op.create_table(
        "access_reviews",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("team", sa.String(64)),
        sa.Column("official", sa.String(36), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("case_reference", sa.String(64)),
        sa.Column("grounds", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("first_entry", sa.Integer()),
        sa.Column("last_entry", sa.Integer()),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(36)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.Column("settled_by", sa.String(36)),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("finding", sa.Text()),
        sa.ForeignKeyConstraint(["official"], ["accounts.id"], name="fk_access_reviews_official_accounts"),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"], name="fk_access_reviews_decided_by_accounts"),
        sa.ForeignKeyConstraint(["settled_by"], ["accounts.id"], name="fk_access_reviews_settled_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_access_reviews"),
    )
    for column in ("organisation", "official", "filed_at", "state"):
        op.create_index(f"ix_access_reviews_{column}", "access_reviews", [column])
    op.create_table(
        "absences",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("noted_by", sa.String(36), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_absences_account_id_accounts"),
        sa.ForeignKeyConstraint(["noted_by"], ["accounts.id"], name="fk_absences_noted_by_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
    )
    op.create_index("ix_absences_account_id", "absences", ["account_id"])


def downgrade() -> None:
    for table in ("absences", "access_reviews", "case_officials", "case_subjects", "cases", "record_marks"):
        op.drop_table(table)
    op.drop_column("accounts", "team")
