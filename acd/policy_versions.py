"""Keeps the versions of the policy in the site database: every one that was saved, and which of them holds.

Two who edit at once do not overwrite each other: whoever saves or activates says which version held when he looked,
and is refused when another one holds by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from acd.policy_tables import PolicyInForce, PolicyVersion
from acd.policy_text import Texts, difference
from callcenter.kernel.errors import Conflict, NotFound

FILES = "files"
MOST_VERSIONS = 200


class PolicyChanged(Conflict):
    """Another version holds than the one that was edited; `data["active"]` is its number."""

    code = "policy_changed"


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version without its texts. `based_on` is what `diff` is against."""

    number: int
    policy: str
    based_on: int | None
    author: str
    at: datetime
    note: str
    activated_at: datetime | None
    activated_by: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class WholeVersion:
    """One version with its texts."""

    view: VersionView
    texts: Texts
    diff: str


@dataclass(frozen=True, slots=True)
class InForce:
    """Which version holds, and the digest of the files that were last looked at."""

    number: int
    files: str


async def in_force(session: AsyncSession) -> InForce | None:
    """None before the first version."""
    row = await session.get(PolicyInForce, 1, populate_existing=True)
    return None if row is None else InForce(row.number, row.files)


async def versions(session: AsyncSession) -> Sequence[VersionView]:
    """The newest ones, newest first."""
    held = await in_force(session)
    rows = await session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(MOST_VERSIONS))
    return [_view(row, held) for row in rows]


async def version(session: AsyncSession, number: int | None) -> WholeVersion:
    """One of them, the one that holds for None. Raises NotFound."""
    held = await in_force(session)
    wanted = number if number is not None else (None if held is None else held.number)
    row = None if wanted is None else await session.get(PolicyVersion, wanted)
    if row is None:
        raise NotFound("There is no such version of the policy.", data={"version": wanted})
    return WholeVersion(_view(row, held), Texts(row.queues, row.agents), row.diff)


async def save(
    session: AsyncSession, texts: Texts, policy: str, *, based_on: int | None, author: str, note: str, now: datetime
) -> int:
    """A new version; its number. It does not hold yet. Raises NotFound for a `based_on` that is none."""
    before = Texts("", "") if based_on is None else (await version(session, based_on)).texts
    number = (await session.scalar(select(func.coalesce(func.max(PolicyVersion.number), 0))) or 0) + 1
    session.add(
        PolicyVersion(
            number=number,
            policy=policy,
            queues=texts.queues,
            agents=texts.agents,
            diff="" if based_on is None else difference(before, texts),
            based_on=based_on,
            author=author,
            at=now,
            note=note,
        )
    )
    await session.flush()
    return number


async def put_in_force(
    session: AsyncSession, number: int, *, by: str, now: datetime, files: str | None = None
) -> None:
    """From now on `number` holds. `files` is the digest of config/, where it has been looked at. Raises NotFound."""
    row = await session.get(PolicyVersion, number)
    if row is None:
        raise NotFound("There is no such version of the policy.", data={"version": number})
    row.activated_at, row.activated_by = now, by
    held = await session.get(PolicyInForce, 1)
    if held is None:
        session.add(PolicyInForce(id=1, number=number, files=files or ""))
    else:
        held.number = number
        held.files = held.files if files is None else files


async def expect(session: AsyncSession, number: int) -> None:
    """Raises PolicyChanged unless `number` holds."""
    held = await in_force(session)
    if held is None or held.number != number:
        active = None if held is None else held.number
        raise PolicyChanged("Somebody else has changed the policy meanwhile.", data={"active": active})


def _view(row: PolicyVersion, held: InForce | None) -> VersionView:
    return VersionView(
        row.number,
        row.policy,
        row.based_on,
        row.author,
        row.at,
        row.note,
        row.activated_at,
        row.activated_by,
        held is not None and held.number == row.number,
    )
