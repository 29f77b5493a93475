"""checking the ledger: reports, how far a check has come, the right to note a rebuilding."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from evidence_api.migrations import law1

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "ledger_check_positions",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_ledger_check_positions")),
    )
    op.create_table(
        "ledger_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("report_sha256", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_checks")),
    )
    op.create_index(op.f("ix_ledger_checks_event_id"), "ledger_checks", ["event_id"], unique=False)
    law1.attach(op, "ledger_checks")
    law1.immutable(op, "ledger_checks")
    law1.open_to_app(op, "ledger_checks", "SELECT", "INSERT")
    law1.open_to_app(op, "ledger_check_positions", "SELECT", "INSERT", "UPDATE", "DELETE")
    # A check is needed most when the ledger is halted; its finding then waits for its place.
    law1.accept_while_halted(op, "ledger.checked")
    # Rebuilding puts entries, the ledger's size and the event that says so into one transaction.
    law1.grant(op, law1.SEQUENCER, "event_outbox", "INSERT (event_id, item, body)")
    law1.grant(op, law1.SEQUENCER, "event_openings", "INSERT (event_id, field, salt, value)")
