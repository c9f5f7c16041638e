"""Looks the caller up while the call goes on: nobody waits for the answer, and a database that is away costs nothing
but the record on the pop.
"""

import asyncio
import logging

from callcenter.app.live import LiveSide
from callcenter.crm.service import find_by_number
from callcenter.kernel.site import Site, SiteUnavailable

log = logging.getLogger(__name__)


class CustomerLookUp:
    """The director's `LookUp`. `bind` comes before the first call."""

    def __init__(self, site: Site, region: str) -> None:
        self._site = site
        self._region = region
        self._live: LiveSide | None = None
        self._running: set[asyncio.Task[None]] = set()

    def bind(self, live: LiveSide) -> None:
        """Whom to tell."""
        self._live = live

    def start(self, contact: str, number: str) -> None:
        """Find whose number it is; `Director.customer_found` follows, or nothing if the database is away."""
        if number:
            task = asyncio.get_running_loop().create_task(self._look_up(contact, number))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _look_up(self, contact: str, number: str) -> None:
        try:
            found = await find_by_number(self._site, number, region=self._region)
        except SiteUnavailable:
            log.warning("customer look-up failed, the pop goes out without a record")
            return
        live = self._live
        if live is None:
            return
        only = found.only
        card = None if only is None else only.as_mapping()
        unit = live.open_unit()
        live.run("customer", lambda: live.director.customer_found(unit, contact, card, len(found.customers)))
        live.submit(unit)
