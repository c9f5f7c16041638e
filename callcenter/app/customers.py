"""Looks the caller up while the call goes on: nobody waits for the answer, and a database that is away costs nothing
but the record on the pop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from callcenter.director.ports import CallerFound
from callcenter.kernel.errors import CallcenterError

log = logging.getLogger(__name__)

Ask = Callable[[str, str | None], Awaitable[CallerFound]]
"""(number, id of the chosen customer) -> answer; raises CallcenterError when it cannot tell."""
Tell = Callable[[str, CallerFound], None]
"""(contact, answer)"""


class CustomerLookUp:
    """The director's `LookUp`. Calls come before the database after a start: who is asked for then is asked later."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._ask: Ask | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._early: list[tuple[str, str, str | None]] = []

    def ask(self, ask: Ask) -> None:
        """Whom to ask from now on, also for those who came early."""
        self._ask = ask
        early, self._early = self._early, []
        for contact, number, chosen in early:
            self.start(contact, number, chosen)

    def start(self, contact: str, number: str, chosen: str | None) -> None:
        """Find whose number it is, or who was chosen; `tell` follows, or nothing."""
        if not (number or chosen):
            return
        if self._ask is None:
            self._early.append((contact, number, chosen))
        else:
            task = asyncio.get_running_loop().create_task(self._look_up(self._ask, contact, number, chosen))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _look_up(self, ask: Ask, contact: str, number: str, chosen: str | None) -> None:
        try:
            found = await ask(number, chosen)
        except CallcenterError:
            log.warning("customer look-up failed, the pop goes out without a record")
            return
        self._tell(contact, found)
