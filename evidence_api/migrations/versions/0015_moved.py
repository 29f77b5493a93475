"""moved: in which other store a blob lies now."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    op.add_column("blobs", sa.Column("moved_to", sa.Text(), nullable=True))
    op.add_column("blobs", sa.Column("moved_version", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_blobs_moved_whole"), "blobs", "(moved_to IS NULL) = (moved_version IS NULL)")
