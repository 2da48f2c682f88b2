"""From which network a session's last proof came.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("network", sa.LargeBinary(32)))


def downgrade() -> None:
    with op.batch_alter_table("sessions") as batch:
        batch.drop_column("network")
