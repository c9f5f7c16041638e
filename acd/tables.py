"""Calls of other logs, imported for reports and simulations; never mixed with the site's own call records."""

from datetime import date, datetime

from sqlalchemy import Date, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, UtcTime


class HistoricCallRow(Base):
    """One row of an imported file. `day` is that of `at` in `zone`, the clock of the log; `flags` by spaces."""

    __tablename__ = "historic_calls"
    __table_args__ = (Index(None, "day"),)

    file: Mapped[str] = mapped_column(String(128), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(String(64))
    day: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcTime)
    type: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int] = mapped_column(Integer)
    menu_ms: Mapped[int] = mapped_column(Integer)
    waited_ms: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    handled_ms: Mapped[int | None] = mapped_column(Integer)
    agent: Mapped[str | None] = mapped_column(String(64))
    flags: Mapped[str] = mapped_column(String(400))
