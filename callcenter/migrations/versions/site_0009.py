"""Who looks after a customer."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody yet."""
    op.add_column("customers", sa.Column("owner", sa.String(length=64), nullable=False, server_default=""))
