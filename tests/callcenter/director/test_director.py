"""The director between real rooms and fake ports: what no machine shows by itself."""

from pathlib import Path

import pytest

from callcenter.calls import events as ev
from callcenter.calls.model import Role
from callcenter.director.machines import call_messages as msg
from tests.support.director import World, queue_flow


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


def test_a_transfer_to_a_number_outside_leaves_the_number_in_no_event(tmp_path: Path) -> None:
    world = World(tmp_path, line=queue_flow("billing"))
    world.is_available("ann")
    world.arrive("line")
    ((contact, call),) = world.calls.contacts.items()
    world.signalling.accepts(next(leg.id for leg in call.legs if leg.role is Role.AGENT))
    unit = world.open_unit()
    world.director.control.transfer(unit, "ann", "number", "+41441112299")
    world.submit(unit)
    assert world.told("director.contact.transferred") == [{"agent": "ann", "kind": "number", "target": "outside"}]
    assert any(leg.role is Role.OUTSIDE for leg in world.calls.contacts[contact].legs)
    assert not [fact for fact in world.facts if "441112299" in str(fact)]


def test_who_is_to_be_called_back_is_noted_once_however_his_number_is_written(tmp_path: Path) -> None:
    world = World(tmp_path, line=queue_flow("billing"))
    world.arrive("line")
    (call,) = world.director.processes.values()
    unit = world.open_unit()
    for number in ("+41441112233", "0041441112233", "+41441112244"):
        assert world.director.callbacks.ask(unit, call, number, "billing")
    world.submit(unit)
    assert [each.number for each in world.director.callbacks.pending.values()] == ["+41441112233", "+41441112244"]


class TestRestartDuringTheLastWord:
    """The rule of a queue has sent the caller away, and he hears so."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return World(tmp_path, line=queue_flow("billing"))

    def leave(self, world: World) -> tuple[str, str]:
        leg = world.arrive("line")
        (contact,) = world.director.processes
        unit = world.open_unit()
        world.director.step(unit, contact, msg.Farewell(("bye.wav",)))
        world.submit(unit)
        return leg, contact

    def resume(self, world: World, contact: str, *going: str) -> None:
        unit = world.open_unit()
        world.recovery.resume(unit, contact, going)
        world.submit(unit)

    def test_he_hears_the_rest_and_his_flow_does_not_have_him_again(self, world: World) -> None:
        leg, contact = self.leave(world)
        self.resume(world, contact, "message")
        assert contact in world.calls.contacts
        assert world.told("ivr.node.left") == []
        world.media.tell(ev.Played(leg, "message"))
        assert [data["reason"] for data in world.told("calls.contact.ended")] == ["flow"]

    def test_word_that_was_never_begun_keeps_him_no_longer(self, world: World) -> None:
        _, contact = self.leave(world)
        self.resume(world, contact)
        assert world.told("ivr.node.left") == []
        assert [data["reason"] for data in world.told("calls.contact.ended")] == ["flow"]

    def test_word_whose_end_is_never_told_keeps_him_no_longer_either(self, world: World) -> None:
        _, contact = self.leave(world)
        self.resume(world, contact, "message")
        world.advance(320)
        assert [data["reason"] for data in world.told("calls.contact.ended")] == ["flow"]
