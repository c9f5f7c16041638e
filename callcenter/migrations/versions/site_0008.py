"""Whether a stay in a queue is that of a callback."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Null is no."""
    op.add_column("queue_visits", sa.Column("callback", sa.Boolean()))
