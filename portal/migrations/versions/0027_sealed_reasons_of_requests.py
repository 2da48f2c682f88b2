"""Why an administrator asks another for something is sealed. Of older requests the log alone keeps the reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("staff_requests") as batch:
        batch.add_column(sa.Column("sealed_reason", sa.LargeBinary()))
        batch.drop_column("reason")


def downgrade() -> None:
    with op.batch_alter_table("staff_requests") as batch:
        batch.add_column(sa.Column("reason", sa.Text(), nullable=False, server_default=""))
        batch.drop_column("sealed_reason")
