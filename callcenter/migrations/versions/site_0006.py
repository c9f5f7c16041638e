"""Versions of the policy of queues and agents."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; the first version is what config/ has at the next start."""
    op.create_table(
        "policy_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.String(length=12), nullable=False),
        sa.Column("queues", sa.Text(), nullable=False),
        sa.Column("agents", sa.Text(), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("based_on", sa.Integer()),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("activated_at", MOMENT),
        sa.Column("activated_by", sa.String(length=64)),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "policy_in_force",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("files", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_policy_in_force_one_row")),
        sa.ForeignKeyConstraint(
            ["number"], ["policy_versions.number"], name=op.f("fk_policy_in_force_number_policy_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_in_force")),
    )
