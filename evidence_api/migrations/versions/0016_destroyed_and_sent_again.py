"""destroyed and sent again: the same bytes may come again into a case whose exhibit of them was destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ALIVE = "state NOT IN ('refused', 'discarded') AND destroyed_at IS NULL"


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.drop_index("uq_exhibits_digest_in_case", "exhibits")
    op.create_index(
        "uq_exhibits_digest_in_case", "exhibits", ["case_id", "sha256"], unique=True, postgresql_where=sa.text(_ALIVE)
    )
    op.create_index(
        "ix_exhibits_destroyed_digest",
        "exhibits",
        ["case_id", "sha256"],
        postgresql_where=sa.text("destroyed_at IS NOT NULL"),
    )
