"""Alerts by mail: to whom, of what, how often, and what was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("in_portal", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("alerts", sa.Column("mail_due_at", sa.DateTime(timezone=True)))
    op.add_column("alerts", sa.Column("newest_entry", sa.BigInteger()))
    op.create_index("ix_alerts_mail_due_at", "alerts", ["mail_due_at"])
    op.create_table(
        "alert_settings",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(32), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary()),
        sa.Column("address_state", sa.String(16), nullable=False),
        sa.Column("confirm_digest", sa.LargeBinary(32)),
        sa.Column("confirm_until", sa.DateTime(timezone=True)),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_alert_settings_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", name="pk_alert_settings"),
        sa.UniqueConstraint("subject_index", name="uq_alert_settings_subject_index"),
    )
    op.create_table(
        "alert_choices",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("topic", sa.String(80), nullable=False),
        sa.Column("cadence", sa.String(16), nullable=False),
        sa.Column("in_portal", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["alert_settings.account_id"],
            name="fk_alert_choices_account_id_alert_settings",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "topic", name="pk_alert_choices"),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_link", sa.LargeBinary()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("worker", sa.String(36)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_mails_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
    )
    op.create_index("ix_mails_account_id", "mails", ["account_id"])
    op.create_index("ix_mails_next_try_at", "mails", ["next_try_at"])
    op.create_table(
        "log_cursors",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_log_cursors"),
    )
    op.create_table(
        "known_devices",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("browser", sa.String(32), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_known_devices_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", "browser", "system", name="pk_known_devices"),
    )


def downgrade() -> None:
    for table in ("known_devices", "log_cursors", "mails", "alert_choices", "alert_settings"):
        op.drop_table(table)
    op.drop_index("ix_alerts_mail_due_at", "alerts")
    with op.batch_alter_table("alerts") as alerts:
        alerts.drop_column("newest_entry")
        alerts.drop_column("mail_due_at")
        alerts.drop_column("in_portal")
