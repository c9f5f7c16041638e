"""Versions of the policy, and which of them holds."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, UtcTime


class PolicyVersion(Base):
    """What queues.yaml and agents.yaml were made to say. `author` is a user's id, or `files` for config/ itself.

    `policy` names the content as the distributor's log does; `diff` is against the version that it was made from.
    """

    __tablename__ = "policy_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy: Mapped[str] = mapped_column(String(12))
    queues: Mapped[str] = mapped_column(Text)
    agents: Mapped[str] = mapped_column(Text)
    diff: Mapped[str] = mapped_column(Text)
    based_on: Mapped[int | None]
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
    note: Mapped[str] = mapped_column(String(500))
    activated_at: Mapped[datetime | None] = mapped_column(UtcTime)
    activated_by: Mapped[str | None] = mapped_column(String(64))


class PolicyInForce(Base):
    """One row: the version that holds, and the digest of the files of config/ that were last looked at."""

    __tablename__ = "policy_in_force"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(ForeignKey("policy_versions.number"))
    files: Mapped[str] = mapped_column(String(64))
