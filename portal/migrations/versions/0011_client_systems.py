"""Client systems: used assertions, and access tokens bound to a certificate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_assertions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_used_assertions"),
    )
    op.create_index("ix_used_assertions_ends_at", "used_assertions", ["ends_at"])
    op.create_table(
        "access_tokens",
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("thumbprint", sa.String(43), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_access_tokens"),
    )
    op.create_index("ix_access_tokens_ends_at", "access_tokens", ["ends_at"])


def downgrade() -> None:
    op.drop_table("access_tokens")
    op.drop_table("used_assertions")
