"""Since when a caller waits who had begun to before he came into the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Null: since he came."""
    op.add_column("queue_visits", sa.Column("since", sa.DateTime(timezone=True)))
