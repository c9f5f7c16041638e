"""Call detail records, and apart from them the personal data of their contacts, which can be erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, Document, UtcTime


class CdrRow(Base):
    """One call. Keyed by the contact, a UUIDv7: the key's order is the order in which calls began."""

    __tablename__ = "cdrs"
    __table_args__ = (
        Index(None, "started_at"),
        Index(None, "customer", "contact"),
        Index(None, "agent", "started_at"),
        Index(None, "queue", "started_at"),
    )

    contact: Mapped[str] = mapped_column(String(32), primary_key=True)
    direction: Mapped[str] = mapped_column(String(16))
    source_kind: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(64))
    flow: Mapped[str | None] = mapped_column(String(100))
    flow_version: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    queue: Mapped[str | None] = mapped_column(String(100))
    agent: Mapped[str | None] = mapped_column(String(64))
    customer: Mapped[str | None] = mapped_column(String(32))
    wait_ms: Mapped[int | None] = mapped_column(Integer)
    talk_ms: Mapped[int] = mapped_column(Integer)
    hung_up_by: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    sip_status: Mapped[int | None] = mapped_column(Integer)
    result: Mapped[str] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(Document)


class ContactPerson(Base):
    """Numbers, names and collected digits of one contact. Erasing this row leaves a CDR without a person."""

    __tablename__ = "contact_people"
    __table_args__ = (Index(None, "caller"),)

    contact: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller: Mapped[str | None] = mapped_column(String(128))
    caller_name: Mapped[str | None] = mapped_column(String(255))
    called: Mapped[str | None] = mapped_column(String(128))
    collected: Mapped[dict[str, Any]] = mapped_column(Document)
