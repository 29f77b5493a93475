"""custody: ledger and outboxes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from custody.kernel.outbox import Xid8
from evidence_api.migrations import law1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "event_openings",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "field", name=op.f("pk_event_openings")),
    )
    op.create_table(
        "event_outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("txid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint(
            "octet_length(body) <= 65000 AND body::jsonb @> jsonb_build_object('id', event_id::text, 'item', item)",
            name=op.f("ck_event_outbox_body_is_the_event"),
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_outbox_event_id")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("done_units", sa.BigInteger(), nullable=False),
        sa.Column("total_units", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["state", "sent_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_jobs_subject", "jobs", ["subject"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("item_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "seq >= 0 AND item_seq >= 0 AND octet_length(leaf_hash) = 32", name=op.f("ck_ledger_entries_sane")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("event_id", name=op.f("uq_ledger_entries_event_id")),
        sa.UniqueConstraint("item", "item_seq", name=op.f("uq_ledger_entries_item_item_seq")),
    )
    op.create_index("ix_ledger_entries_actor_id_seq", "ledger_entries", ["actor_id", "seq"], unique=False)
    op.create_index("ix_ledger_entries_case_id_seq", "ledger_entries", ["case_id", "seq"], unique=False)
    op.create_table(
        "ledger_state",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("halted", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_state_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_state")),
    )
    _put_under_the_laws()


def _put_under_the_laws() -> None:
    law1.create_functions(op)
    law1.immutable(op, "ledger_entries")
    law1.immutable(op, "checkpoints")
    law1.immutable(op, "ledger_state", "DELETE OR TRUNCATE")
    law1.guard_outbox(op)
    op.execute("INSERT INTO ledger_state (id, size, epoch) VALUES (1, 0, 0)")
    # rows only pass through the outbox: without eager vacuuming, a scan from its start walks over the dead
    op.execute(
        "ALTER TABLE event_outbox SET"
        " (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)"
    )
    law1.open_to_app(op, "event_outbox", "SELECT", "INSERT (event_id, item, body)")
    law1.open_to_app(op, "event_openings", "SELECT", "INSERT", "DELETE")
    law1.open_to_app(op, "jobs")
    for table in ("ledger_entries", "ledger_state", "checkpoints"):
        law1.open_to_app(op, table, "SELECT")
    law1.grant(op, law1.SEQUENCER, "event_outbox", "SELECT", "DELETE")
    law1.grant(op, law1.SEQUENCER, "ledger_entries", "SELECT", "INSERT")
    law1.grant(op, law1.SEQUENCER, "ledger_state", "SELECT", "UPDATE")
    law1.grant(op, law1.SEQUENCER, "checkpoints", "SELECT", "INSERT")
