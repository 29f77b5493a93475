"""what a file is and its light copies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from evidence_api.migrations import law1, law3

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "examinations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exhibit_id", sa.Uuid(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=True),
        sa.Column("facts_sha256", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("facts IS NULL OR facts_sha256 IS NOT NULL", name=op.f("ck_examinations_digest")),
        sa.CheckConstraint("(facts IS NULL) = (reason IS NOT NULL)", name=op.f("ck_examinations_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinations")),
    )
    op.create_index(op.f("ix_examinations_event_id"), "examinations", ["event_id"], unique=False)
    op.create_index(op.f("ix_examinations_exhibit_id"), "examinations", ["exhibit_id"], unique=False)
    op.create_table(
        "light_copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exhibit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("tool", sa.Text(), nullable=True),
        sa.Column("tool_version", sa.Text(), nullable=True),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(blob_id IS NULL) = (reason IS NOT NULL)", name=op.f("ck_light_copies_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_light_copies")),
    )
    op.create_index(op.f("ix_light_copies_event_id"), "light_copies", ["event_id"], unique=False)
    op.create_index(op.f("ix_light_copies_exhibit_id"), "light_copies", ["exhibit_id"], unique=False)
    op.create_table(
        "scans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exhibit_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("definitions", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("result IN ('clean', 'infected', 'not_scanned')", name=op.f("ck_scans_result")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    op.create_index(op.f("ix_scans_event_id"), "scans", ["event_id"], unique=False)
    op.create_index(op.f("ix_scans_exhibit_id"), "scans", ["exhibit_id"], unique=False)
    law1.attach(op, "examinations")
    law1.open_to_app(op, "examinations")
    law3.keep(op, "examinations", "true", "exhibit_id facts_sha256 made_at")
    law3.never_deleted(op, "examinations")
    # Claims go with the exhibit they are of, and in no other way: they may be emptied, never changed.
    op.execute(
        "CREATE TRIGGER keep_claims BEFORE UPDATE ON examinations FOR EACH ROW"
        " WHEN (NEW.facts IS NOT NULL AND NEW.facts IS DISTINCT FROM OLD.facts) EXECUTE FUNCTION refuse_change()"
    )
    law1.attach(op, "light_copies")
    law1.open_to_app(op, "light_copies", "SELECT", "INSERT")
    law1.immutable(op, "light_copies")
    law1.attach(op, "scans")
    law1.open_to_app(op, "scans", "SELECT", "INSERT")
    law1.immutable(op, "scans")
