"""witnesses: cosignatures of published heads, and that their quorum was reached."""

import sqlalchemy as sa
from alembic import op

from evidence_api.migrations import law1

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "checkpoint_cosignatures",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", "name", name=op.f("pk_checkpoint_cosignatures")),
    )
    op.create_table(
        "checkpoint_quorums",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint_quorums")),
    )
    for table in ("checkpoint_cosignatures", "checkpoint_quorums"):
        law1.immutable(op, table)
        law1.open_to_app(op, table, "SELECT")
        law1.grant(op, law1.SEQUENCER, table, "SELECT", "INSERT")
