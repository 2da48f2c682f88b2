"""Exports remember their entry in the log, and whether they show who people are: those from before did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("export_jobs", sa.Column("entry", sa.BigInteger()))
    op.add_column("export_jobs", sa.Column("with_names", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    with op.batch_alter_table("export_jobs") as batch:
        batch.drop_column("with_names")
        batch.drop_column("entry")
