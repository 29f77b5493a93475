"""custody: one log after another."""

import sqlalchemy as sa
from alembic import op

from evidence_api.migrations import law1, law3

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "ledger_logs",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("unwitnessed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_logs")),
        sa.UniqueConstraint("origin", name=op.f("uq_ledger_logs_origin")),
        sa.UniqueConstraint("start", name=op.f("uq_ledger_logs_start")),
    )
    op.add_column("ledger_state", sa.Column("closing", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    law1.open_to_app(op, "ledger_logs", "SELECT")
    law1.grant(op, law1.SEQUENCER, "ledger_logs", "SELECT", "INSERT", "UPDATE")
    law1.immutable(op, "ledger_logs", "DELETE OR TRUNCATE")
    law3.keep(op, "ledger_logs", "true", "number origin vkey")
    law3.keep(op, "ledger_logs", "OLD.start IS NOT NULL", "start", name="keep_start")
