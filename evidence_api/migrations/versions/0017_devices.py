"""devices: an account may have a term."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.add_column("accounts", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
