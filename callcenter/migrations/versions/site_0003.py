"""The site's epoch: how often an application has become the active one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the first application to become active makes its row."""
    op.create_table(
        "site_epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_site_epoch_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_epoch")),
    )
