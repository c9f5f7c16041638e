"""OPTIONS to the trunks that are to be kept alive, and what follows from the answers."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.sip.core import Core
from callcenter.sip.dialog import branch
from callcenter.sip.directory import Trunk
from callcenter.sip.hop import Hop
from callcenter.sip.message import Response
from callcenter.sip.timers import NEVER
from callcenter.sip.trunk_health import Answered, Health, Missed, TrunkHealth
from callcenter.sip.writer import build_request

log = logging.getLogger(__name__)

LOOK_S = 1.0
WAIT_S = 4.0


@dataclass(slots=True)
class Probed:
    """One trunk: `asked` is the branch that waits for its answer, `since` when its health changed last."""

    health: TrunkHealth = field(default_factory=TrunkHealth)
    since: datetime | None = None
    asked: str = ""
    give_up_at: float = NEVER
    next_at: float = 0.0


class TrunkProbes:
    """Looks each second whom to ask; sleeps where the directory has nobody to be asked."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._trunks: dict[str, Probed] = {}
        self.next_deadline: float | None = None
        self.armed_at = NEVER

    def start(self) -> None:
        """Ask from now on; again after the directory has changed."""
        if self.next_deadline is None and any(trunk.options_s for trunk in self._core.directory.trunks.values()):
            self.next_deadline = self._core.timers.now()
            self._core.timers.arm(self)

    def healths(self) -> dict[str, tuple[Health, datetime | None]]:
        """Of the trunks that are asked, by name."""
        trunks = self._core.directory.trunks.values()
        asked = {trunk.name: self._trunks.get(trunk.name) or Probed() for trunk in trunks if trunk.options_s}
        return {name: (probed.health.health, probed.since) for name, probed in asked.items()}

    def wake(self, now: float) -> None:
        """Give up what has waited long enough, ask what is due."""
        self.next_deadline = None
        for trunk in self._core.directory.trunks.values():
            if trunk.options_s:
                self._look(trunk, now)
                self.next_deadline = now + LOOK_S
        self._core.timers.arm(self)

    def _look(self, trunk: Trunk, now: float) -> None:
        probed = self._trunks.setdefault(trunk.name, Probed())
        if probed.asked and now >= probed.give_up_at:
            self._core.transactions.abandon(probed.asked, "OPTIONS")
            self._heard(trunk, probed, probed.asked, Missed())
        if not probed.asked and now >= probed.next_at:
            self._ask(trunk, probed, now)

    def _ask(self, trunk: Trunk, probed: Probed, now: float) -> None:
        core = self._core
        hop = trunk.probe
        call_id = core.ids()
        name = probed.asked = branch(call_id, 1, "options")
        probed.give_up_at = now + WAIT_S
        core.transactions.call(
            name,
            "OPTIONS",
            self._options(call_id, name, hop),
            hop,
            on_response=lambda response: self._answered(trunk, probed, name, response),
            on_failure=lambda reason: self._heard(trunk, probed, name, Missed()),  # noqa: ARG005  # its signature
        )

    def _options(self, call_id: str, name: str, hop: Hop) -> bytes:
        host, port = self._core.transports.local_address(hop)
        there = f"sip:{hop.address}:{hop.port}"
        headers = (
            ("Via", f"SIP/2.0/{hop.transport.upper()} {host}:{port};branch={name};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{host}>;tag={call_id}"),
            ("To", f"<{there}>"),
            ("Call-ID", call_id),
            ("CSeq", "1 OPTIONS"),
        )
        return build_request("OPTIONS", there, headers=headers)

    def _answered(self, trunk: Trunk, probed: Probed, name: str, response: Response) -> None:
        if response.status >= 200:
            self._heard(trunk, probed, name, Answered(response.status))

    def _heard(self, trunk: Trunk, probed: Probed, name: str, event: Answered | Missed) -> None:
        if probed.asked != name:
            return
        core = self._core
        probed.asked = ""
        before = probed.health.health
        probed.health, news = probed.health.handle(event)
        probed.next_at = core.timers.now() + probed.health.again_after_s(trunk.options_s)
        if probed.health.health != before:
            probed.since = core.now()
        if news:
            down = probed.health.health == "down"
            unit = core.open_unit()
            unit.event("sip.trunk.went_down" if down else "sip.trunk.came_up", trunk.name)
            core.submit(unit)
            if down:
                log.error("a trunk does not answer", extra={"trunk": trunk.name})
            else:
                log.info("a trunk answers again", extra={"trunk": trunk.name})
