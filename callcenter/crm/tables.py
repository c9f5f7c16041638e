"""Customers and the numbers that they call from."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.kernel.site import Base, UtcTime


class Customer(Base):
    """A person or firm that calls. `external_id` is the id that another system knows it by."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    company: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    language: Mapped[str] = mapped_column(String(35), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    numbers: Mapped[list["CustomerNumber"]] = relationship(
        back_populates="customer", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class CustomerNumber(Base):
    """One number of a customer: `e164` is what lookups compare, `raw` what was written."""

    __tablename__ = "customer_numbers"
    __table_args__ = (Index(None, "e164"), UniqueConstraint("customer_id", "e164"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    e164: Mapped[str] = mapped_column(String(32))
    raw: Mapped[str] = mapped_column(String(64))

    customer: Mapped[Customer] = relationship(back_populates="numbers", lazy="raise")
