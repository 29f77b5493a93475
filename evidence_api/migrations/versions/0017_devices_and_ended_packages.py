"""devices and ended packages: an account may have a term; a round's package is destroyed under an act."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from evidence_api.migrations import disposal, law1, law3

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.add_column("accounts", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("disclosures", sa.Column("disposal_id", sa.Uuid(), nullable=True))
    op.add_column("disclosures", sa.Column("disposal_number", sa.BigInteger(), nullable=True))
    op.add_column("disclosures", sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_disclosures_destroyed_by_an_act"), "disclosures", "(destroyed_at IS NULL) = (disposal_id IS NULL)"
    )
    op.create_table(
        "disposal_packages",
        sa.Column("disposal_id", sa.Uuid(), nullable=False),
        sa.Column("disclosure_id", sa.Uuid(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("keys_destroyed", sa.BigInteger(), nullable=True),
        sa.Column("objects_removed", sa.BigInteger(), nullable=True),
        sa.Column("locked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["disposal_id"], ["disposals.id"], name=op.f("fk_disposal_packages_disposal_id_disposals")
        ),
        sa.ForeignKeyConstraint(
            ["disclosure_id"], ["disclosures.id"], name=op.f("fk_disposal_packages_disclosure_id_disclosures")
        ),
        sa.PrimaryKeyConstraint("disposal_id", "disclosure_id", name=op.f("pk_disposal_packages")),
    )
    op.create_index(op.f("ix_disposal_packages_event_id"), "disposal_packages", ["event_id"], unique=False)
    op.create_index(
        "ix_disposal_packages_free_at",
        "disposal_packages",
        ["free_at"],
        unique=False,
        postgresql_where=sa.text("free_at IS NOT NULL"),
    )
    op.create_index(
        "uq_disposal_packages_open",
        "disposal_packages",
        ["disclosure_id"],
        unique=True,
        postgresql_where=sa.text("open"),
    )
    law1.attach(op, "disposal_packages")
    law1.open_to_app(op, "disposal_packages")
    law3.never_deleted(op, "disposal_packages")
    disposal.guard_packages(op)
