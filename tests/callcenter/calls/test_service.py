"""CallService: what a contact's legs do to each other, and what a restart finds and mends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from callcenter.calls import events as ev
from callcenter.calls.model import Contact, LegState, Role, SessionState
from callcenter.calls.notices import LegEnded, LegRefused, Notice
from callcenter.calls.ports import Target
from callcenter.calls.service import CallService
from callcenter.kernel.unit import Unit
from tests.support.media import FakeMedia
from tests.support.signalling import FakeSignalling

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TARGET = Target("sip:1001@127.0.0.9", "127.0.0.9", 5060, "udp", "caller")


def open_unit() -> Unit:
    return Unit(NOW)


def submit(unit: Unit) -> None:
    for action in list(unit.actions):
        action()


@dataclass
class World:
    """The room between its two fakes, without a director: what it notices is kept."""

    heard: list[Notice] = field(default_factory=list)
    facts: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signalling = FakeSignalling(open_unit, self._signalled, self._submit)
        self.media = FakeMedia(open_unit, self._heard, self._submit)
        self.calls = CallService(
            self.signalling,
            self.media,
            notify=lambda _unit, notice: self.heard.append(notice),
            set_alarm=lambda _contact, _at: None,
        )

    def _signalled(self, unit: Unit, event: ev.SignallingInput) -> None:
        self.calls.signalled(unit, event)

    def _heard(self, unit: Unit, event: ev.MediaInput) -> None:
        self.calls.heard(unit, event)

    def talking(self) -> Contact:
        """A caller joined with a phone."""
        leg = self.signalling.arrive()
        (contact,) = self.calls.contacts
        self.do(lambda unit: self.calls.accept(unit, leg))
        self.signalling.acknowledge(leg)
        self.do(lambda unit: self.calls.dial(unit, contact, Role.PHONE, "1001", TARGET, near=leg))
        other = self.calls.contact(contact).legs[1].id
        self.signalling.rings(other)
        self.signalling.accepts(other)
        self.do(lambda unit: self.calls.bridge(unit, contact, leg, other, record=True))
        return self.calls.contact(contact)

    def do(self, act: Callable[[Unit], object]) -> None:
        """One unit, committed."""
        unit = open_unit()
        act(unit)
        self._submit(unit)

    def _submit(self, unit: Unit) -> None:
        for draft in unit.drafts:
            assert isinstance(draft.data, dict)
            self.facts.append((draft.type, draft.data))
        submit(unit)

    def recordings(self) -> list[tuple[str, dict[str, object]]]:
        """What was told of recordings, without their folder and contact."""
        return [
            (
                type_.rsplit(".", 1)[1],
                {key: str(value)[-6:] if key == "recording" else value for key, value in data.items()},
            )
            for type_, data in self.facts
            if type_.startswith("calls.recording.")
        ]

    def ended(self) -> list[tuple[str, str]]:
        return [(notice.leg, notice.ending.reason) for notice in self.heard if isinstance(notice, LegEnded)]


def test_the_caller_is_the_first_to_lose_his_worker() -> None:
    world = World()
    customer, other = world.talking().legs
    world.media.tell(ev.SessionLost(other.id, "w1"))
    assert world.ended() == [(customer.id, "media_lost"), (other.id, "media_lost")]


def test_a_session_lost_with_its_worker_is_told_once() -> None:
    world = World()
    world.talking()
    world.media.lose("w1")
    assert [reason for _, reason in world.ended()] == ["media_lost", "media_lost"]
    assert world.calls.contacts == {}


def restarted(contact: Contact) -> World:
    world = World()
    world.calls.restore([contact])
    return world


def test_a_restart_that_finds_no_session_hangs_up_and_ends_the_contact() -> None:
    contact = World().talking()
    world = restarted(contact)
    legs = {leg.id for leg in contact.legs}
    world.do(lambda unit: world.calls.reconcile(unit, contact.id, {}, legs))
    assert [reason for _, reason in world.ended()] == ["media_lost", "media_lost"]
    assert world.calls.contacts == {}


def test_a_restart_that_finds_no_dialog_ends_the_leg_and_closes_its_session() -> None:
    contact = World().talking()
    world = restarted(contact)
    sessions = {leg.id: ev.SessionOpened(leg.id, "w1", "127.0.0.1", leg.port) for leg in contact.legs}
    customer, other = contact.legs
    world.do(lambda unit: world.calls.reconcile(unit, contact.id, sessions, {customer.id}))
    assert world.ended() == [(other.id, "dialog_lost")]
    assert world.calls.contact(contact.id).leg(other.id).session is SessionState.CLOSING


def test_a_caller_who_heard_ringing_hears_it_again_after_a_restart() -> None:
    before = World()
    leg = before.signalling.arrive()
    (contact,) = before.calls.contacts
    before.do(lambda unit: before.calls.ring(unit, leg))
    assert before.calls.contact(contact).leg(leg).state is LegState.RINGING
    world = restarted(before.calls.contact(contact))
    world.signalling.legs = before.signalling.legs
    world.do(lambda unit: world.calls.reconcile(unit, contact, {}, {leg}))
    assert world.signalling.sent == [("180", leg)]


def test_an_ended_contact_closes_after_a_restart() -> None:
    before = World()
    contact = before.talking()
    held = {leg.id: ev.SessionOpened(leg.id, "w1", "127.0.0.1", leg.port) for leg in contact.legs}
    unit = open_unit()
    before.calls.end(unit, contact.id, "caller", "hangup")
    world = restarted(before.calls.contact(contact.id))
    world.media.found.update(before.media.found)
    world.do(lambda unit: world.calls.reconcile(unit, contact.id, held, {leg.id for leg in contact.legs}))
    assert world.calls.contacts == {}


def test_each_recording_is_told_to_end_by_its_own_name() -> None:
    world = World()
    world.media.recording_ms = 4000
    contact = world.talking()
    customer, first = contact.legs
    world.do(lambda unit: world.calls.hang_up(unit, first.id, "hangup"))
    world.do(lambda unit: world.calls.dial(unit, contact.id, Role.PHONE, "1002", TARGET, near=customer.id))
    second = world.calls.contact(contact.id).legs[2].id
    world.signalling.accepts(second)
    world.do(lambda unit: world.calls.bridge(unit, contact.id, customer.id, second, record=True))
    world.signalling.hangs_up(customer.id)
    name = contact.id[-2:]
    assert world.recordings() == [
        ("started", {"recording": f"{name}.wav"}),
        ("ended", {"recording": f"{name}.wav", "duration_ms": 4000}),
        ("started", {"recording": "-2.wav"}),
        ("ended", {"recording": "-2.wav", "duration_ms": 4000}),
    ]


def held_facts(world: World) -> list[tuple[str, object]]:
    return [
        (type_.rsplit(".", 1)[1], data.get("by"))
        for type_, data in world.facts
        if type_.endswith(("held", "resumed"))
    ]


@pytest.mark.parametrize(("holder", "listener", "name"), [(1, 0, "agent"), (0, 1, "customer")])
def test_a_phones_own_hold_gives_the_other_side_music(holder: int, listener: int, name: str) -> None:
    world = World()
    contact = world.talking()
    holds, hears = contact.legs[holder].id, contact.legs[listener].id
    world.do(lambda unit: world.calls.hold(unit, contact.id, ("music.wav",), by=holds))
    assert world.media.found[hears].prompts == ("music.wav",)
    assert world.media.found[holds].playing is None
    world.do(lambda unit: world.calls.resume(unit, contact.id, by=holds))
    assert held_facts(world) == [("held", name), ("resumed", None)]
    assert world.media.log[-1][0] == "bridge"


def test_they_hear_each_other_only_when_nobody_wants_a_hold_any_more() -> None:
    world = World()
    contact = world.talking()
    agent = contact.legs[1].id
    world.do(lambda unit: world.calls.hold(unit, contact.id, ("music.wav",)))
    world.do(lambda unit: world.calls.hold(unit, contact.id, ("music.wav",), by=agent))
    world.do(lambda unit: world.calls.resume(unit, contact.id))
    assert held_facts(world) == [("held", "desk")]
    world.do(lambda unit: world.calls.resume(unit, contact.id, by=agent))
    assert held_facts(world) == [("held", "desk"), ("resumed", None)]


def test_a_hold_is_said_again_after_a_restart_to_whom_it_was_said() -> None:
    world = World()
    contact = world.talking()
    customer, agent = (leg.id for leg in contact.legs)
    world.do(lambda unit: world.calls.hold(unit, contact.id, ("music.wav",), by=customer))
    world.do(lambda unit: world.calls.reassert_bridge(unit, contact.id, hold=("music.wav",)))
    assert [entry[:2] for entry in world.media.log if entry[0] == "hold"] == [("hold", agent), ("hold", agent)]


def test_message_that_was_left_is_told_with_its_length() -> None:
    world = World()
    leg = world.signalling.arrive()
    world.do(lambda unit: world.calls.accept(unit, leg))
    world.signalling.acknowledge(leg)
    world.do(lambda unit: world.calls.record(unit, leg, "r1", max_s=60))
    world.media.finish_recording(leg, 2500)
    assert [(kind, data.get("duration_ms")) for kind, data in world.recordings()] == [
        ("started", None),
        ("ended", 2500),
    ]


def test_recording_that_cannot_be_written_on_is_named() -> None:
    world = World()
    customer, _ = world.talking().legs
    world.media.tell(ev.RecordingFailed(customer.id, "disk_full"))
    kind, data = world.recordings()[-1]
    assert (kind, data["reason"], str(data["recording"])[-4:]) == ("failed", "disk_full", ".wav")


def test_a_refused_prompt_is_told_and_the_call_goes_on() -> None:
    world = World()
    contact = world.talking()
    world.media.tell(ev.CommandRefused(contact.legs[0].id, "f1", "prompt_missing"))
    assert world.heard[-1] == LegRefused(contact.id, contact.legs[0].id, "f1", "prompt_missing")
    assert len(world.calls.contact(contact.id).live_legs) == 2


def test_a_session_that_cannot_be_bridged_is_given_back() -> None:
    world = World()
    contact = world.talking()
    world.media.tell(ev.SessionFailed(contact.legs[0].id, "bridge_apart"))
    assert contact.legs[0].id not in world.media.found
