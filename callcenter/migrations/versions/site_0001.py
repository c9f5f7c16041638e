"""The first tables: the kernel's own, customers, call records, users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them all; customers and users before what refers to them."""
    _kernel()
    _crm()
    _identity()
    _reporting()


def _kernel() -> None:
    op.create_table(
        "config_versions",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "version", name=op.f("pk_config_versions")),
    )
    op.create_table(
        "projector_positions",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("journal", sa.String(length=32), nullable=False),
        sa.Column("projected_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "journal", name=op.f("pk_projector_positions")),
    )
    op.create_table(
        "site_events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_site_events")),
        sa.UniqueConstraint("id", name=op.f("uq_site_events_id")),
    )
    op.create_index("ix_site_events_subject", "site_events", ["subject"])
    op.create_table(
        "site_outbox",
        sa.Column("position", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_site_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_site_outbox_id")),
    )


def _crm() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("external_id", sa.String(length=100)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customers_external_id")),
    )
    op.create_table(
        "customer_numbers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("e164", sa.String(length=32), nullable=False),
        sa.Column("raw", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_numbers_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_numbers")),
        sa.UniqueConstraint("customer_id", "e164", name=op.f("uq_customer_numbers_customer_id_e164")),
    )
    op.create_index("ix_customer_numbers_e164", "customer_numbers", ["e164"])


def _identity() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject"])
    op.create_table(
        "phone_credentials",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=255), nullable=False),
        sa.Column("ha1_md5", sa.String(length=32), nullable=False),
        sa.Column("ha1_sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_phone_credentials")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('agent', 'supervisor', 'quality', 'administrator')", name=op.f("ck_users_role")),
        sa.CheckConstraint("login = lower(login)", name=op.f("ck_users_login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("agent", name=op.f("uq_users_agent")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def _reporting() -> None:
    op.create_table(
        "cdrs",
        sa.Column("contact", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("source_kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("flow", sa.String(length=100)),
        sa.Column("flow_version", sa.String(length=64)),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("queue", sa.String(length=100)),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("customer", sa.String(length=32)),
        sa.Column("wait_ms", sa.Integer()),
        sa.Column("talk_ms", sa.Integer(), nullable=False),
        sa.Column("hung_up_by", sa.String(length=16)),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("sip_status", sa.Integer()),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_cdrs")),
    )
    op.create_index("ix_cdrs_agent_started_at", "cdrs", ["agent", "started_at"])
    op.create_index("ix_cdrs_queue_started_at", "cdrs", ["queue", "started_at"])
    op.create_index("ix_cdrs_started_at", "cdrs", ["started_at"])
    op.create_table(
        "contact_people",
        sa.Column("contact", sa.String(length=32), nullable=False),
        sa.Column("caller", sa.String(length=128)),
        sa.Column("caller_name", sa.String(length=255)),
        sa.Column("called", sa.String(length=128)),
        sa.Column("collected", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_contact_people")),
    )
    op.create_index("ix_contact_people_caller", "contact_people", ["caller"])
