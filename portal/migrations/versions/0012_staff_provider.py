"""Finding an account of staff again by what their employer's provider calls them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("staff_index", sa.LargeBinary(32)))
    op.create_index("uq_accounts_staff_index", "accounts", ["staff_index"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_accounts_staff_index", "accounts")
    op.drop_column("accounts", "staff_index")
