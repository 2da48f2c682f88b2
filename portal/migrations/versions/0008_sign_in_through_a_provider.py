"""Sign-in attempts at a provider, and finding a citizen's account again by their personal code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("state_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_digest", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_ends_at", "sign_in_attempts", ["ends_at"])
    # Filled in for accounts that are there when the portal starts: it takes the master key, which is not here.
    op.add_column("accounts", sa.Column("citizen_index", sa.LargeBinary(32)))
    op.create_index("uq_accounts_citizen_index", "accounts", ["citizen_index"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_accounts_citizen_index", "accounts")
    op.drop_column("accounts", "citizen_index")
    op.drop_table("sign_in_attempts")
