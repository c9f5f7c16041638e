"""Stays in queues, stretches of agents' days, the facts of the quarter hours, and the lines of the queue_log."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, Document, SerialNumber, UtcTime
from callcenter.reporting.measures import NAMES


class QueueVisit(Base):
    """`visits.Visit`. `open` while more will be told of it."""

    __tablename__ = "queue_visits"
    __table_args__ = (Index(None, "queued_at"), Index(None, "contact"), Index(None, "open"))

    entry: Mapped[str] = mapped_column(String(64), primary_key=True)
    contact: Mapped[str] = mapped_column(String(32))
    queue: Mapped[str] = mapped_column(String(100))
    queued_at: Mapped[datetime] = mapped_column(UtcTime)
    skills: Mapped[list[Any]] = mapped_column(Document)
    threshold_s: Mapped[int] = mapped_column(Integer)
    short_abandon_s: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    left_at: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    wait_ms: Mapped[int] = mapped_column(BigInteger)
    agent: Mapped[str | None] = mapped_column(String(64))
    channel: Mapped[str | None] = mapped_column(String(64))
    ended_by: Mapped[str | None] = mapped_column(String(16))
    talk_ms: Mapped[int] = mapped_column(BigInteger)
    hold_ms: Mapped[int] = mapped_column(BigInteger)
    wrap_ms: Mapped[int] = mapped_column(BigInteger)
    handled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    logged: Mapped[bool] = mapped_column(Boolean)
    callback: Mapped[bool | None] = mapped_column(Boolean)
    since: Mapped[datetime | None] = mapped_column(UtcTime)
    open: Mapped[bool | None] = mapped_column(Boolean)


class AgentSpan(Base):
    """`visits.Span`; `until` is null while it lasts."""

    __tablename__ = "agent_spans"
    __table_args__ = (Index(None, "since"), Index(None, "open"))

    agent: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    state: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[str | None] = mapped_column(String(40))
    contact: Mapped[str | None] = mapped_column(String(32))
    queue: Mapped[str | None] = mapped_column(String(100))
    until: Mapped[datetime | None] = mapped_column(UtcTime)
    result: Mapped[str | None] = mapped_column(String(16))
    hold_ms: Mapped[int] = mapped_column(BigInteger)
    held_since: Mapped[datetime | None] = mapped_column(UtcTime)
    paused: Mapped[bool] = mapped_column(Boolean)
    open: Mapped[bool | None] = mapped_column(Boolean)


INTERVAL_FACTS = Table(
    "interval_facts",
    Base.metadata,
    Column("start", UtcTime, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("name", String(100), primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in NAMES),
)
"""What the visits and spans that are over add up to in one quarter hour of one queue, skill or agent."""


class QueueLogLine(Base):
    """`queue_log.Line`; `params` joined by "|". Lines are numbered in the order in which they are written."""

    __tablename__ = "queue_log"
    __table_args__ = (Index(None, "at"),)

    position: Mapped[int] = mapped_column(SerialNumber, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    contact: Mapped[str | None] = mapped_column(String(32))
    queue: Mapped[str | None] = mapped_column(String(100))
    agent: Mapped[str | None] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(20))
    params: Mapped[str] = mapped_column(Text)
