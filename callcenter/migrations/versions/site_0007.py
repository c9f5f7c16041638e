"""Stays in queues, agents' days, the facts of quarter hours and the queue_log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURES = [
    "entered",
    "queued",
    "offered",
    "answered",
    "answered_in_time",
    "abandoned",
    "abandoned_in_time",
    "abandoned_short",
    "callbacks",
    "callbacks_in_time",
    "overflowed",
    "transferred",
    "failed",
    "wait_ms",
    "longest_wait_ms",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "offers",
    "accepted",
    "missed",
    "declined",
    "unreached",
    "rescinded",
    "contact_time_ms",
    "wrap_time_ms",
    "idle_time_ms",
    "ring_time_ms",
    "not_ready_time_ms",
]


def upgrade() -> None:
    """Make them, empty: what was before is in the records of calls."""
    _visits()
    _spans()
    op.create_table(
        "interval_facts",
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint("start", "kind", "name", name=op.f("pk_interval_facts")),
    )
    op.create_table(
        "queue_log",
        sa.Column("position", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("contact", sa.String(length=32)),
        sa.Column("queue", sa.String(length=100)),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_queue_log")),
    )
    op.create_index("ix_queue_log_at", "queue_log", ["at"])


def _visits() -> None:
    op.create_table(
        "queue_visits",
        sa.Column("entry", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=32), nullable=False),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("queued_at", MOMENT, nullable=False),
        sa.Column("skills", DOCUMENT, nullable=False),
        sa.Column("threshold_s", sa.Integer(), nullable=False),
        sa.Column("short_abandon_s", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("left_at", MOMENT),
        sa.Column("outcome", sa.String(length=16)),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("channel", sa.String(length=64)),
        sa.Column("ended_by", sa.String(length=16)),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.Column("hold_ms", sa.BigInteger(), nullable=False),
        sa.Column("wrap_ms", sa.BigInteger(), nullable=False),
        sa.Column("handled_at", MOMENT),
        sa.Column("logged", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean()),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_queue_visits")),
    )
    for column in ("queued_at", "contact", "open"):
        op.create_index(f"ix_queue_visits_{column}", "queue_visits", [column])


def _spans() -> None:
    op.create_table(
        "agent_spans",
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40)),
        sa.Column("contact", sa.String(length=32)),
        sa.Column("queue", sa.String(length=100)),
        sa.Column("until", MOMENT),
        sa.Column("result", sa.String(length=16)),
        sa.Column("hold_ms", sa.BigInteger(), nullable=False),
        sa.Column("held_since", MOMENT),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean()),
        sa.PrimaryKeyConstraint("agent", "since", "state", name=op.f("pk_agent_spans")),
    )
    for column in ("since", "open"):
        op.create_index(f"ix_agent_spans_{column}", "agent_spans", [column])
