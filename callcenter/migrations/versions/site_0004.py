"""Tickets with their messages, history, contacts and escalations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them; the first ticket will be number 1."""
    _tickets()
    _numbers()
    _messages()
    _history()
    _links()


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.String(length=64)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=32)),
        sa.Column("contact_id", sa.String(length=32)),
        sa.Column("queue", sa.String(length=64)),
        sa.Column("assignee", sa.String(length=64)),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=64)),
        sa.Column("tags", DOCUMENT, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.Column("policy", sa.String(length=64)),
        sa.Column("policy_version", sa.String(length=12)),
        sa.Column("calendar_version", sa.String(length=12)),
        sa.Column("first_response_due_at", MOMENT),
        sa.Column("first_response_verdict", sa.String(length=8)),
        sa.Column("resolution_due_at", MOMENT),
        sa.Column("resolution_verdict", sa.String(length=8)),
        sa.Column("escalate_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("command_id", name=op.f("uq_tickets_command_id")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    for column in ("status", "assignee", "queue", "customer_id"):
        op.create_index(f"ix_tickets_{column}_number", "tickets", [column, "number"])
    for column in ("escalate_at", "first_response_due_at", "resolution_due_at"):
        op.create_index(f"ix_tickets_{column}", "tickets", [column])


def _numbers() -> None:
    numbers = op.create_table(
        "ticket_numbers",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_numbers")),
    )
    op.bulk_insert(numbers, [{"id": 1, "last": 0}])


def _messages() -> None:
    op.create_table(
        "ticket_messages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=64)),
        sa.Column("contact_id", sa.String(length=32)),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _of_ticket("ticket_messages"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_messages")),
    )
    op.create_index("ix_ticket_messages_ticket_id_at", "ticket_messages", ["ticket_id", "at"])


def _history() -> None:
    op.create_table(
        "ticket_history",
        sa.Column("position", SERIAL, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("attribute", sa.String(length=32), nullable=False),
        sa.Column("before", DOCUMENT),
        sa.Column("after", DOCUMENT),
        _of_ticket("ticket_history"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ticket_history")),
    )
    op.create_index("ix_ticket_history_ticket_id_position", "ticket_history", ["ticket_id", "position"])


def _links() -> None:
    op.create_table(
        "ticket_contacts",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        _of_ticket("ticket_contacts"),
        sa.PrimaryKeyConstraint("ticket_id", "contact_id", name=op.f("pk_ticket_contacts")),
    )
    op.create_index("ix_ticket_contacts_contact_id", "ticket_contacts", ["contact_id"])
    op.create_table(
        "ticket_escalations",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("cycle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("fired_at", MOMENT, nullable=False),
        _of_ticket("ticket_escalations"),
        sa.PrimaryKeyConstraint("ticket_id", "clock", "cycle", "step", name=op.f("pk_ticket_escalations")),
    )


def _of_ticket(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_ticket_id_tickets")
    return sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=name, ondelete="CASCADE")
