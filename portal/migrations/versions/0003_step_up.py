"""When the person behind a session last proved who they are, and the requests that wait until they do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions") as batch:
        batch.add_column(sa.Column("proved_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE sessions SET proved_at = started_at")
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("proved_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_table(
        "errands",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_errands_session_id_sessions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_errands"),
    )
    for column in ("session_id", "ends_at"):
        op.create_index(f"ix_errands_{column}", "errands", [column])


def downgrade() -> None:
    op.drop_table("errands")
    with op.batch_alter_table("sessions") as batch:
        batch.drop_column("proved_at")
