"""time stamps: RFC 3161 tokens over published heads, and the queue of heads that wait for one."""

import sqlalchemy as sa
from alembic import op

from evidence_api.migrations import law1

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "anchors",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_anchors")),
    )
    op.create_table(
        "checkpoint_timestamps",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", "authority", name=op.f("pk_checkpoint_timestamps")),
    )
    for table in ("anchors", "checkpoint_timestamps"):
        law1.immutable(op, table)
        law1.open_to_app(op, table, "SELECT")
        law1.grant(op, law1.SEQUENCER, table, "SELECT", "INSERT")
