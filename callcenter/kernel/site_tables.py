"""The kernel's own tables: how far projectors are, the site's events, versions of the configuration, the epoch."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, Document, SerialNumber, UtcTime


class ProjectorPosition(Base):
    """The last journal number that projector `name` has written, of the journal that `journal` identifies."""

    __tablename__ = "projector_positions"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    journal: Mapped[str] = mapped_column(String(32), primary_key=True)
    projected_seq: Mapped[int] = mapped_column(BigInteger)


class SiteOutbox(Base):
    """An event that a transaction has recorded and that the relay has not numbered yet."""

    __tablename__ = "site_outbox"

    position: Mapped[int] = mapped_column(SerialNumber, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    type: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    subject: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]] = mapped_column(Document)


class SiteEvent(Base):
    """An event of the stream `site`; `seq` has no gaps and follows the order of the commits."""

    __tablename__ = "site_events"
    __table_args__ = (Index(None, "subject"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    type: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    subject: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]] = mapped_column(Document)


class ConfigVersion(Base):
    """A document of config/ as it was loaded: `version` is the hash of its content."""

    __tablename__ = "config_versions"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(UtcTime)


class SiteEpoch(Base):
    """One row: how often an application has become the active one of this site (`claim`)."""

    __tablename__ = "site_epoch"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
