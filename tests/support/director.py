"""The director between real rooms and fake ports, in the words of its callers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import acd.commands as acd_in
from acd.service import AcdService
from callcenter.app.site_config import load_site
from callcenter.calls import events as ev
from callcenter.calls.notices import Notice
from callcenter.calls.ports import Target
from callcenter.calls.service import CallService
from callcenter.director.ports import CallerFound, Pop
from callcenter.director.recovery import Recovery
from callcenter.director.rooms import Rooms, Surroundings
from callcenter.director.service import Director
from callcenter.kernel.unit import Unit
from ivr.service import FlowService
from tests.support.media import FakeMedia
from tests.support.server import Document, SiteFiles
from tests.support.signalling import FakeSignalling

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGENTS = ("ann", "bob")
BILLING: Document = {"name": "billing", "skills": {"billing": 1}}


def flow(start: str, **nodes: Document) -> Document:
    end = {"kind": "hangup"}
    return {"language": "en", "start": start, "on_error": "end", "nodes": {**nodes, "end": end}}


def queue_flow(queue: str, **keys: object) -> Document:
    """Straight into `queue`; 1 asks for a callback."""
    node = {"kind": "queue", "queue": queue, "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end"}
    call_me = {"kind": "callback", "next": "end", "on_refused": "end"}
    return flow("wait", wait={**node, "exits": {"1": "call_me"}, **keys}, call_me=call_me)


class Screens:
    """Nobody looks."""

    def pop(self, pop: Pop) -> None: ...

    def customer_known(self, contact: str, found: CallerFound) -> None: ...


class World:
    """A site's callers on a clock that only the test moves; `asked` are the customers who are looked up."""

    def __init__(self, folder: Path, *, queues: Sequence[Document] = (BILLING,), **queue_flows: Document) -> None:
        self.now = NOW
        self.facts: list[tuple[str, dict[str, object]]] = []
        self.alarms: dict[tuple[str, str], datetime] = {}
        self.asked: list[str] = []
        greeting = {"kind": "play", "prompts": ["welcome"], "next": "echo"}
        message = {"kind": "voicemail", "prompts": [], "beep": False, "max_s": 30, "next": "end"}
        outside = {"kind": "dial", "target": "+41441112233", "next": "end", "on_error": "end"}
        outside |= {f"on_{why}": "end" for why in ("busy", "no_answer", "declined", "unreachable")}
        rules = {"caller_id": "+390699999999", "allow": ["+41"], "calls": 1}
        flows = {
            "greeting": flow("greeting", greeting=greeting, echo={"kind": "echo"}),
            "voicemail": flow("message", message=message),
            "outside": flow("ring", ring=outside),
            **queue_flows,
        }
        numbers = {name: name for name in flows}
        files = SiteFiles(
            trunks=[{"name": "carrier", "addresses": ["192.0.2.9:5060"], "numbers": numbers, "outbound": rules}],
            phones=[{"user": name} for name in AGENTS],
            queues=list(queues),
            agents=[
                {"id": name, "name": name.title(), "user": name, "phone": name, "skills": {"billing": 1}}
                for name in AGENTS
            ],
            flows=flows,
        )
        self.site = load_site(files.write(folder), language="en", region="IT")
        self.signalling = FakeSignalling(self.open_unit, self._signalled, self.submit)
        self.media = FakeMedia(self.open_unit, self._heard, self.submit)
        self.calls = CallService(
            self.signalling,
            self.media,
            notify=self._noticed,
            set_alarm=lambda contact, at: self._alarm("contact", contact, at),
        )
        flow_service = FlowService(
            self.site.flows, self.site.prompts, self.site.calendars, wall=lambda: self.now, region="IT"
        )
        around = Surroundings(self.site, Screens(), self._target, self._look_up, self._alarm)
        self.acd = AcdService()
        rooms = Rooms(self.calls, flow_service, self.acd)
        self.director = Director(rooms, around)
        self.recovery = Recovery(self.director, rooms, around)
        unit = self.open_unit()
        self.acd.start(unit, self.site.roster.policy, epoch=1)
        self.submit(unit)

    def open_unit(self) -> Unit:
        return Unit(self.now)

    def submit(self, unit: Unit) -> None:
        self.facts += [(draft.type, dict(draft.data)) for draft in unit.drafts]
        for action in unit.actions:
            action()

    def advance(self, seconds: float) -> None:
        """Ring what is due until then, in order."""
        end = self.now + timedelta(seconds=seconds)
        while due := [(at, key) for key, at in self.alarms.items() if at <= end and key[0] != "contact"]:
            at, key = min(due)
            self.now = max(self.now, at)
            del self.alarms[key]
            unit = self.open_unit()
            self.director.tick(unit, *key)
            self.submit(unit)
        self.now = end

    def arrive(self, flow_name: str, caller: str = "+41441112233") -> str:
        """A call that this flow takes; its leg."""
        leg = self.signalling.arrive(called=flow_name, caller=caller)
        self.signalling.acknowledge(leg)
        return leg

    def is_available(self, *agents: str) -> None:
        """One after the other, with phones that can be rung."""
        for agent in agents:
            self._distribute(acd_in.AgentSignedIn(agent))
            self._distribute(acd_in.PresenceChanged(agent, phone=True, console=True))
            self._distribute(acd_in.AgentWentAvailable(agent))
            self.advance(1)

    def is_away(self, *agents: str) -> None:
        """They sign out."""
        for agent in agents:
            self._distribute(acd_in.AgentSignedOut(agent))

    def _distribute(self, command: acd_in.Input) -> None:
        unit = self.open_unit()
        self.director.distribute(unit, command)
        self.submit(unit)

    def finds(self, contact: str, **customer: str | None) -> None:
        """The look-up returns with this customer; without, with nobody."""
        unit = self.open_unit()
        found = CallerFound({"id": "k1", **customer}, len(customer)) if customer else CallerFound()
        self.director.customer_found(unit, contact, found)
        self.submit(unit)

    def told(self, type_: str) -> list[dict[str, object]]:
        return [data for each, data in self.facts if each == type_]

    def _noticed(self, unit: Unit, notice: Notice) -> None:
        self.director.noticed(unit, notice)

    def _alarm(self, kind: str, id_: str, at: datetime | None) -> None:
        if at is None:
            self.alarms.pop((kind, id_), None)
        else:
            self.alarms[kind, id_] = at

    def _signalled(self, unit: Unit, event: ev.SignallingInput) -> None:
        self.calls.signalled(unit, event)

    def _heard(self, unit: Unit, event: ev.MediaInput) -> None:
        self.calls.heard(unit, event)

    def _target(self, user: str, caller: str, name: str) -> Target | None:
        if user not in AGENTS:
            return None
        return Target(f"sip:{user}@192.0.2.1", "192.0.2.1", 5060, "udp", caller)

    def _look_up(self, contact: str, number: str, chosen: str | None) -> None:
        self.asked.append(contact)
