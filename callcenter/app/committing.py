"""Waiting for the disk: whoever asked over the API is answered when what he asked for cannot be lost any more."""

import asyncio
from collections.abc import Callable

from callcenter.kernel.unit import Unit


async def committed(unit: Unit, submit: Callable[[Unit], None]) -> None:
    """Submit `unit` and return when it is on disk."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    unit.after_commit(lambda: None if done.done() else done.set_result(None))
    submit(unit)
    await done
