"""care: key versions, fixity, the event a blob came into being under."""

import sqlalchemy as sa
from alembic import op

from custody.kernel.laws import KEY_CLOSED
from evidence_api.migrations import law1, law3

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# A wrap and the closing of its version wait for each other on the version's row: whoever is later sees the other.
_REFUSE_CLOSED_KEY = """
CREATE FUNCTION refuse_closed_key() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    closed timestamptz;
BEGIN
    SELECT closed_at INTO closed FROM key_versions WHERE key_id = NEW.key_id FOR SHARE;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'this version of the key-encryption key is closed' USING ERRCODE = '{code}';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.create_table(
        "fixity_alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(blob_id IS NULL) = (item = 'system')", name=op.f("ck_fixity_alarms_about")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixity_alarms")),
    )
    op.create_index(op.f("ix_fixity_alarms_blob_id"), "fixity_alarms", ["blob_id"], unique=False)
    op.create_index(op.f("ix_fixity_alarms_event_id"), "fixity_alarms", ["event_id"], unique=False)
    op.create_index(
        "ix_fixity_alarms_open",
        "fixity_alarms",
        ["case_id"],
        unique=False,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "fixity_rounds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deep", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixity_rounds")),
    )
    op.create_index(
        "uq_fixity_rounds_open", "fixity_rounds", ["deep"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "fixity_states",
        sa.Column("blob_id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deep_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("what", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("blob_id", name=op.f("pk_fixity_states")),
    )
    op.create_index(
        "ix_fixity_states_damaged",
        "fixity_states",
        ["blob_id"],
        unique=False,
        postgresql_where=sa.text("what IS NOT NULL"),
    )
    op.create_table(
        "key_versions",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_versions")),
    )
    op.create_index(op.f("ix_key_versions_event_id"), "key_versions", ["event_id"], unique=False)
    # Until now a blob's row was never changed: the event it carries is the one it came into being under.
    op.add_column("blobs", sa.Column("made_event_id", sa.Uuid(), nullable=True))
    op.execute("ALTER TABLE blobs DISABLE TRIGGER USER")
    op.execute("UPDATE blobs SET made_event_id = event_id")
    op.execute("ALTER TABLE blobs ENABLE TRIGGER USER")
    op.alter_column("blobs", "made_event_id", nullable=False)
    law1.attach(op, "fixity_alarms")
    law1.open_to_app(op, "fixity_alarms")
    law1.open_to_app(op, "fixity_rounds")
    law1.open_to_app(op, "fixity_states")
    law1.attach(op, "key_versions")
    law1.open_to_app(op, "key_versions")
    law3.keep(op, "blobs", "true", "made_event_id", name="keep_made")
    law3.keep(op, "key_versions", "OLD.closed_at IS NOT NULL", "key_id known_at closed_at")
    law3.keep(op, "fixity_alarms", "true", "blob_id item case_id what place expected found found_at")
    law3.never_deleted(op, "key_versions")
    law3.never_deleted(op, "fixity_alarms")
    op.execute(_REFUSE_CLOSED_KEY.format(code=KEY_CLOSED))
    for table in ("uploads", "blobs"):
        op.execute(
            f"CREATE TRIGGER refuse_closed_key BEFORE INSERT OR UPDATE OF key_id, wrapped_key ON {table}"
            " FOR EACH ROW WHEN (octet_length(NEW.wrapped_key) > 0) EXECUTE FUNCTION refuse_closed_key()"
        )
