"""The director between real rooms and fake ports: what no machine shows by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acd.service import AcdService
from callcenter.app.site_config import load_site
from callcenter.calls import events as ev
from callcenter.calls.notices import Notice
from callcenter.calls.ports import Target
from callcenter.calls.service import CallService
from callcenter.director.ports import Customer, Pop
from callcenter.director.rooms import Rooms, Surroundings
from callcenter.director.service import Director
from callcenter.kernel.unit import Unit
from ivr.service import FlowService
from tests.support.media import FakeMedia
from tests.support.server import Document, SiteFiles
from tests.support.signalling import FakeSignalling

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def flow(start: str, **nodes: Document) -> Document:
    end = {"kind": "hangup"}
    return {"language": "en", "start": start, "on_error": "end", "nodes": {**nodes, "end": end}}


class Screens:
    """Nobody looks."""

    def pop(self, pop: Pop) -> None: ...

    def customer_known(
        self, contact: str, customer: Customer | None, matches: int, candidates: tuple[Customer, ...]
    ) -> None: ...


class World:
    """One caller's way through a site of three flows."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.facts: list[tuple[str, dict[str, object]]] = []
        self.alarms: dict[tuple[str, str], datetime] = {}
        greeting = {"kind": "play", "prompts": ["welcome"], "next": "echo"}
        message = {"kind": "voicemail", "prompts": [], "beep": False, "max_s": 30, "next": "end"}
        outside = {"kind": "dial", "target": "+41441112233", "next": "end", "on_error": "end"}
        outside |= {f"on_{why}": "end" for why in ("busy", "no_answer", "declined", "unreachable")}
        rules = {"caller_id": "+390699999999", "allow": ["+41"], "calls": 1}
        numbers = {name: name for name in ("greeting", "voicemail", "outside")}
        files = SiteFiles(
            trunks=[{"name": "carrier", "addresses": ["192.0.2.9:5060"], "numbers": numbers, "outbound": rules}],
            phones=[{"user": "ann"}],
            queues=[{"name": "billing", "skills": {"billing": 1}}],
            agents=[{"id": "ann", "name": "Ann", "user": "ann", "phone": "ann", "skills": {"billing": 1}}],
            flows={
                "greeting": flow("greeting", greeting=greeting, echo={"kind": "echo"}),
                "voicemail": flow("message", message=message),
                "outside": flow("ring", ring=outside),
            },
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
        flows = FlowService(
            self.site.flows, self.site.prompts, self.site.calendars, wall=lambda: self.now, region="IT"
        )
        around = Surroundings(self.site, Screens(), self._target, self._look_up, self._alarm)
        self.director = Director(Rooms(self.calls, flows, AcdService()), around)

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

    def arrive(self, flow_name: str) -> str:
        """A call that this flow takes; its leg."""
        leg = self.signalling.arrive(called=flow_name)
        self.signalling.acknowledge(leg)
        return leg

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
        return None

    def _look_up(self, contact: str, number: str, chosen: str | None) -> None: ...


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_prompt_whose_end_is_never_told_keeps_no_caller_in_silence(world: World) -> None:
    leg = world.arrive("greeting")
    assert world.media.found[leg].playing == "f1"
    world.advance(300)
    assert [data["command"] for data in world.told("director.sound.lost")] == ["f1"]
    assert [(data["branch"], data.get("reason")) for data in world.told("ivr.node.left")] == [
        ("error", "end_not_told")
    ]
    assert world.told("calls.leg.ended")


def test_a_prompt_whose_end_is_told_is_not_lost(world: World) -> None:
    leg = world.arrive("greeting")
    world.media.tell(ev.Played(leg, "f1"))
    world.advance(300)
    assert world.told("director.sound.lost") == []
    assert world.media.found[leg].echo


def test_a_message_is_left_by_hanging_up(world: World) -> None:
    world.media.recording_ms = 4000
    world.signalling.hangs_up(world.arrive("voicemail"))
    (message,) = world.director.voice_messages.waiting()
    assert (message.category, message.duration_ms) == ("voicemail", 4000)


def test_a_number_outside_is_rung_with_the_sites_number_and_counted_until_its_end(world: World) -> None:
    leg = world.arrive("outside")
    (placed,) = world.told("director.dial_out.placed")
    dialled = str(placed["leg"])
    second = world.arrive("outside")
    assert world.told("director.dial_out.refused") == [{"reason": "calls"}]
    assert second not in world.signalling.answers
    world.signalling.rings(dialled)
    world.signalling.caller_cancels(leg)
    assert ("CANCEL", dialled) in world.signalling.sent
    world.signalling.refuses(dialled, 487)
    world.arrive("outside")
    assert len(world.told("director.dial_out.placed")) == 2


def test_a_callback_rings_the_customer_and_gives_up_in_time(world: World) -> None:
    unit = world.open_unit()
    contact = world.director.call_out(unit, "+41441112233", "greeting", ring_s=20)
    world.submit(unit)
    (leg,) = world.calls.contact(contact).legs
    world.signalling.rings(leg.id)
    world.advance(21)
    assert world.told("calls.contact.ended") == [{"by": "system", "reason": "no_answer", "status": None}]


def test_a_callback_that_is_answered_is_put_into_its_flow(world: World) -> None:
    unit = world.open_unit()
    contact = world.director.call_out(unit, "+41441112233", "greeting", ring_s=20)
    world.submit(unit)
    (leg,) = world.calls.contact(contact).legs
    world.signalling.accepts(leg.id)
    assert world.media.found[leg.id].playing == "f1"
    world.signalling.hangs_up(leg.id)
    assert world.told("calls.contact.received")[0]["direction"] == "outbound"


def test_a_forbidden_number_is_not_called_back(world: World) -> None:
    assert world.director.call_out(world.open_unit(), "+15550100999", "greeting", ring_s=20) == "forbidden"


def test_a_call_outside_is_ended_when_it_has_lasted_too_long(world: World) -> None:
    world.arrive("outside")
    dialled = str(world.told("director.dial_out.placed")[0]["leg"])
    world.signalling.accepts(dialled)
    world.advance(7199)
    assert ("BYE", dialled) not in world.signalling.sent
    world.advance(2)
    assert ("BYE", dialled) in world.signalling.sent
    assert world.told("calls.leg.ended")[0]["reason"] == "too_long"
