"""A process that writes units until it is killed; prints the number of each unit whose actions ran.

Run as `python -m tests.callcenter.kernel.writing_process JOURNAL FIRST`.
"""

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from callcenter.kernel.journal import Journal
from callcenter.kernel.unit import Unit

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)


def unit_of(number: int) -> Unit:
    """Three entries, a state row and a personal row that all say `number`."""
    unit = Unit(MOMENT)
    for part in range(3):
        unit.event("calls.test.written", f"c{number}", part=part)
    unit.save("counter", "last", {"number": number})
    unit.remember_person(f"c{number}", caller=f"+43{number}")
    return unit


async def main(path: Path, first: int) -> None:
    loop = asyncio.get_running_loop()
    journal = Journal(path, call_soon=loop.call_soon_threadsafe, publish=lambda _: None)
    number = first
    while True:
        unit = unit_of(number)
        unit.after_commit(partial(print, number, flush=True))
        journal.submit(unit)
        number += 1
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
