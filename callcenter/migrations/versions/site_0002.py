"""Customers: a version to edit against, numbers in order, words to find them by, a history, calls by customer."""

from itertools import groupby

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from callcenter.crm.terms import terms_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TERM = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
CHUNK = 500


def upgrade() -> None:
    """Add them; customers that are there already get their words."""
    op.add_column("customers", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("customer_numbers", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_cdrs_customer_contact", "cdrs", ["customer", "contact"])
    terms = op.create_table(
        "customer_terms",
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("term", TERM, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_terms_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "term", name=op.f("pk_customer_terms")),
    )
    op.create_index("ix_customer_terms_term_customer_id", "customer_terms", ["term", "customer_id"])
    op.create_table(
        "customer_changes",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("fields", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_changes_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_customer_changes")),
    )
    op.create_index("ix_customer_changes_customer_id", "customer_changes", ["customer_id"])
    _fill(terms)


def _fill(terms: sa.Table) -> None:
    connection = op.get_bind()
    query = sa.text(
        "SELECT c.id, c.name, c.company, c.external_id, c.email, n.e164 FROM customers c "
        "LEFT JOIN customer_numbers n ON n.customer_id = c.id WHERE c.id IN "
        "(SELECT id FROM customers WHERE id > :after ORDER BY id LIMIT :chunk) ORDER BY c.id, n.id"
    )
    after = ""
    while rows := connection.execute(query, {"after": after, "chunk": CHUNK}).all():
        found = []
        for id_, of_one in groupby(rows, key=lambda row: row[0]):
            first, *rest = of_one
            numbers = [row[5] for row in (first, *rest) if row[5]]
            words = terms_of((first[1], first[2], first[3] or ""), first[4], numbers)
            found += [{"customer_id": id_, "term": word} for word in words]
        if found:
            connection.execute(terms.insert(), found)
        after = rows[-1][0]
