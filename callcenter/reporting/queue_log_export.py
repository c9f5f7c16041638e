"""The stored lines of the queue_log, written out once or followed as they come.

The numbers of the lines say how far a file has got. Whoever follows into a file keeps that number beside it, with the
length that the file had: what was written after the last such note is cut off and written again, so a line is in the
file once however the writer ended.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from msgspec import MsgspecError
from sqlalchemy import and_, func, select

from callcenter.kernel.codec import decode, encode
from callcenter.kernel.errors import ConfigError, SiteUnavailable
from callcenter.kernel.site import Site
from callcenter.reporting.interval_tables import QueueLogLine
from callcenter.reporting.queue_log import ENTERQUEUE, Line, rendered
from callcenter.reporting.tables import ContactPerson

CHUNK = 1_000
EVERY_S = 0.5


async def log_lines(
    site: Site, *, after: int, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[tuple[int, str]]:
    """(number, text) of each line numbered above `after`, from `since` on and before `until`.

    Raises SiteUnavailable.
    """
    while True:
        chunk = await _chunk(site, after, since, until)
        for number, line in chunk:
            yield number, line
        if len(chunk) < CHUNK:
            return
        after = chunk[-1][0]


async def _chunk(site: Site, after: int, since: datetime | None, until: datetime | None) -> list[tuple[int, str]]:
    statement = (
        select(QueueLogLine, ContactPerson.caller)
        .outerjoin(
            ContactPerson,
            and_(ContactPerson.contact == QueueLogLine.contact, QueueLogLine.event == ENTERQUEUE),
        )
        .where(QueueLogLine.position > after)
        .order_by(QueueLogLine.position)
        .limit(CHUNK)
    )
    if since is not None:
        statement = statement.where(QueueLogLine.at >= since)
    if until is not None:
        statement = statement.where(QueueLogLine.at < until)
    async with site.reading() as session:
        rows = (await session.execute(statement)).all()
    return [(row.position, _text(row, caller)) for row, caller in rows]


def _text(row: QueueLogLine, caller: str | None) -> str:
    params = tuple(row.params.split("|"))
    return rendered(Line(row.at, row.event, row.contact, row.queue, row.agent, params), caller)


async def newest(site: Site) -> int:
    """The number of the newest line, 0 if there is none. Raises SiteUnavailable."""
    async with site.reading() as session:
        return await session.scalar(select(func.max(QueueLogLine.position))) or 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Written so far: the number of the last line, how long the file was with it (bytes), and which file it was."""

    position: int = 0
    length: int = 0
    file: int = 0


class LogFile:
    """The file `path` and its note `path.position`. Whoever moves the file away gets the next lines in a new one."""

    def __init__(self, path: Path) -> None:
        """Takes up where the last writer stopped. Raises ConfigError where another file is in the way."""
        self._path = path
        self._note = path.with_name(path.name + ".position")
        self.progress = self._read()
        try:
            found = path.stat()
        except FileNotFoundError:
            return
        if found.st_size and found.st_ino != self.progress.file:
            raise ConfigError(f"{path} is not the file that was followed: move it away")
        if found.st_size > self.progress.length:
            with path.open("r+b") as file:
                file.truncate(self.progress.length)

    def _read(self) -> Progress:
        try:
            return decode(self._note.read_bytes(), Progress)
        except FileNotFoundError:
            return Progress()
        except MsgspecError as error:
            raise ConfigError(f"{self._note} is damaged") from error

    def add(self, lines: list[tuple[int, str]]) -> None:
        """Append, then note it. Raises OSError."""
        with self._path.open("ab") as file:
            if file.tell() == 0:
                self._keep(Progress(self.progress.position, 0, os.fstat(file.fileno()).st_ino))
            file.write("".join(f"{line}\n" for _, line in lines).encode())
            file.flush()
            self._keep(Progress(lines[-1][0], file.tell(), os.fstat(file.fileno()).st_ino))

    def _keep(self, progress: Progress) -> None:
        draft = self._note.with_name(self._note.name + ".new")
        draft.write_bytes(encode(progress))
        draft.replace(self._note)
        self.progress = progress


async def export(site: Site, out: TextIO, *, since: datetime | None, until: datetime | None) -> None:
    """Write the lines to `out`. Raises SiteUnavailable."""
    async for _, line in log_lines(site, after=0, since=since, until=until):
        out.write(line + "\n")
    out.flush()


async def follow(site: Site, out: TextIO, *, after: int, since: datetime | None = None) -> None:
    """Write what comes after line `after`, until cancelled. While the database is away it waits."""
    while True:
        with contextlib.suppress(SiteUnavailable):
            async for position, line in log_lines(site, after=after, since=since):
                out.write(line + "\n")
                after = position
            out.flush()
        await asyncio.sleep(EVERY_S)


async def follow_into(site: Site, file: LogFile, *, since: datetime | None = None, once: bool = False) -> None:
    """The same into a file, from where it stopped; with `once` only as far as there are lines. Raises OSError."""
    while True:
        try:
            lines = await _chunk(site, file.progress.position, since, None)
            if lines:
                file.add(lines)
                continue
        except SiteUnavailable:
            if once:
                raise
        if once:
            return
        await asyncio.sleep(EVERY_S)
