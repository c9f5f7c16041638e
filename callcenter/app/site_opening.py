"""Opens the site database: the lock, the schema, the epoch, in this order; again and again while it is away.

Nothing is written before it is open. An application that finds itself overtaken stops (architecture.md section 1).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from callcenter.app.settings import Settings
from callcenter.kernel.claim import SiteTaken, Verdict
from callcenter.kernel.errors import ConfigError, SiteUnavailable
from callcenter.migrations.migrate import migrate

if TYPE_CHECKING:
    from callcenter.kernel.site_claim import SiteClaim

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0


class SiteOpening:
    """`first`, then `keep` as a task, both on the application's loop."""

    def __init__(
        self,
        settings: Settings,
        claim: "SiteClaim | None",
        *,
        opened: Callable[[], Awaitable[None]],
        fenced: Callable[[], None],
    ) -> None:
        """`opened` is called when database and schema are there, once it returns; it may raise SiteUnavailable."""
        self._settings = settings
        self._claim = claim
        self._opened = opened
        self._fenced = fenced
        self.is_open = False
        self.surprises = 0

    async def first(self) -> None:
        """Try once. Raises ConfigError: no restart could help."""
        try:
            await self._open()
        except SiteUnavailable:
            log.warning("site database does not answer; calls go on, facts wait in the journal")

    async def keep(self) -> None:
        """Go on trying until it is open; return when another application turns out to be the active one."""
        delay = FIRST_RETRY_S
        while not self.is_open:
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_RETRY_S)
            if not await self._try_again():
                self._fenced()
                return
        if self._claim is not None:
            await self._claim.overtaken()
            self._fenced()

    async def _try_again(self) -> bool:
        """Whether there is any sense in going on."""
        try:
            await self._open()
            log.info("site database is back")
        except SiteUnavailable:
            pass
        except ConfigError as error:
            # Beside running calls a wrong database is no reason to stop; the one that another serves is.
            log.error("site database cannot be used", extra={"code": error.code})  # noqa: TRY400 - the code says it all
            return not isinstance(error, SiteTaken)
        except Exception:
            self.surprises += 1
            log.exception("site database cannot be opened")
        return True

    async def _open(self) -> None:
        claim, settings = self._claim, self._settings
        verdict = Verdict.HELD if claim is None else await claim.look()
        if verdict is Verdict.OVERTAKEN:
            raise SiteTaken("another application has been active on this database")
        if verdict is not Verdict.HELD:
            raise SiteUnavailable("another connection holds the site's lock")
        await migrate(settings.site_database_url, settings.data_dir)
        if claim is not None:
            log.info("this application is the active one", extra={"site_epoch": await claim.enter()})
        await self._opened()
        self.is_open = True
