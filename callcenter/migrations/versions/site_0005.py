"""Calls of imported logs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "historic_calls",
        sa.Column("file", sa.String(length=128), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("menu_ms", sa.Integer(), nullable=False),
        sa.Column("waited_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("handled_ms", sa.Integer()),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("flags", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("file", "line", name=op.f("pk_historic_calls")),
    )
    op.create_index("ix_historic_calls_day", "historic_calls", ["day"])
