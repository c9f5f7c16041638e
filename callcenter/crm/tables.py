"""Customers, the numbers that they call from, the words that they are found by, and who changed what."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.kernel.site import Base, Document, SerialNumber, UtcTime

# Terms are compared by code points on both engines: a prefix is a range of them.
TERM = String(64).with_variant(String(64, collation="C"), "postgresql")


class Customer(Base):
    """A person or firm that calls. `external_id` is the id that another system knows it by, `owner` the id of the
    agent who looks after it, or empty.

    `version` grows with each change: whoever edits says which version was read.
    """

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    company: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    language: Mapped[str] = mapped_column(String(35), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    owner: Mapped[str] = mapped_column(String(64), default="", server_default="")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    numbers: Mapped[list["CustomerNumber"]] = relationship(
        back_populates="customer", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class CustomerNumber(Base):
    """One number of a customer: `e164` is what lookups compare, `raw` what was written; `position` 0 is the first."""

    __tablename__ = "customer_numbers"
    __table_args__ = (Index(None, "e164"), UniqueConstraint("customer_id", "e164"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    e164: Mapped[str] = mapped_column(String(32))
    raw: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    customer: Mapped[Customer] = relationship(back_populates="numbers", lazy="raise")


class CustomerTerm(Base):
    """A word that the customer is found by (callcenter.crm.terms)."""

    __tablename__ = "customer_terms"
    __table_args__ = (Index(None, "term", "customer_id"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    term: Mapped[str] = mapped_column(TERM, primary_key=True)


class CustomerChange(Base):
    """Who made, edited or imported a customer: the names of the fields, not what was in them."""

    __tablename__ = "customer_changes"
    __table_args__ = (Index(None, "customer_id"),)

    number: Mapped[int] = mapped_column(SerialNumber, primary_key=True, autoincrement=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(16))
    fields: Mapped[list[str]] = mapped_column(Document)
