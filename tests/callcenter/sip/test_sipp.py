"""SIPp, a SIP implementation that is not ours, against the user agent on loopback sockets."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from callcenter.calls import events as ev
from callcenter.calls.ports import Target
from callcenter.kernel.unit import Unit
from callcenter.sip.directory import Directory, Trunk
from tests.support import scenario
from tests.support.sip import OUR_MEDIA, PASSWORD, directory
from tests.support.sip_server import Server
from tests.support.sipp import Sipp

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)"),
]

TRUNK = ("127.0.0.51", 5060)
PHONE = ("127.0.0.52", 5060)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    known = directory()
    trunk = Trunk("carrier", (TRUNK,))
    # SIPp gives up where SHA-256 is asked for first.
    server = Server(known=Directory(known.realm, [trunk], known.phones.values()), algorithms=("MD5",))
    await server.start()
    yield server
    await server.close()


def sipp(server: Server, text: str, *, local: tuple[str, int] = TRUNK, calls: int = 1, **more: object) -> Sipp:
    """SIPp that speaks to the server, not yet started."""
    talk: int = 100
    # The loopback loses nothing. SIPp takes the second answer to what it repeated for a mistake, so it repeats
    # nothing while this process waits for its turn.
    patient = text.replace('retrans="500"', 'retrans="30000"')
    party = Sipp(patient, server.udp.address, local, calls=calls, talk_ms=talk, timeout_s=60)
    for name, value in more.items():
        setattr(party, name, value)
    return party


async def ended(party: Sipp) -> None:
    """Wait for SIPp while the server's loop runs; fails unless every call went as its scenario says."""
    await asyncio.to_thread(party.wait)


def answers_at_once(server: Server) -> None:
    def take(unit: Unit, event: ev.SignallingInput) -> None:
        if isinstance(event, ev.InviteArrived):
            server.agent.ring(unit, event.leg)
            server.agent.answer(unit, event.leg, OUR_MEDIA)

    server.react = take


@pytest.mark.parametrize("transport", ["u1", "t1"])
@pytest.mark.parametrize("late_offer", [False, True])
async def test_calls_of_a_trunk_are_answered_and_hung_up_by_it(
    server: Server, transport: str, *, late_offer: bool
) -> None:
    answers_at_once(server)
    with sipp(server, scenario.caller(late_offer=late_offer), calls=10, transport=transport) as party:
        await ended(party)
    assert server.agent.dialogs == {}


async def test_calls_of_a_trunk_are_hung_up_by_us(server: Server) -> None:
    def take(unit: Unit, event: ev.SignallingInput) -> None:
        if isinstance(event, ev.InviteArrived):
            server.agent.answer(unit, event.leg, OUR_MEDIA)
        elif isinstance(event, ev.AckArrived):
            server.agent.bye(unit, event.leg, "test")

    server.react = take
    with sipp(server, scenario.caller(hangs_up=False), calls=5) as party:
        await ended(party)


async def test_refused_call_of_a_trunk(server: Server) -> None:
    server.react = lambda unit, event: (
        server.agent.reject(unit, event.leg, 486) if isinstance(event, ev.InviteArrived) else None
    )
    with sipp(server, scenario.refused_caller("486")) as party:
        await ended(party)
    assert server.agent.dialogs == {}


async def test_cancelled_call_of_a_trunk(server: Server) -> None:
    server.react = lambda unit, event: (
        server.agent.ring(unit, event.leg) if isinstance(event, ev.InviteArrived) else None
    )
    with sipp(server, scenario.cancelling_caller(after_ms=50)) as party:
        await ended(party)
    assert isinstance(await server.next(), ev.InviteArrived)
    assert isinstance(await server.next(), ev.CancelArrived)


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_phone_registers_and_calls_with_its_password(server: Server, transport: str) -> None:
    answers_at_once(server)
    auth = ("ann", PASSWORD)
    with sipp(server, scenario.registration("ann"), local=PHONE, auth=auth, transport=transport) as party:
        await ended(party)
    assert server.agent.registration.reachable_users() == {"ann", "m1"}
    calling = scenario.caller(number="ann", authenticate=True)
    with sipp(server, calling, local=PHONE, auth=auth, transport=transport) as party:
        await ended(party)
    arrived = await server.next()
    assert isinstance(arrived, ev.InviteArrived)
    assert (arrived.source_kind, arrived.source) == ("phone", "ann")


async def outcome_of_a_call_to(server: Server, text: str, *, cancels: bool = False) -> list[ev.SignallingInput]:
    """What the room hears of a call to SIPp playing `text`."""
    heard: list[ev.SignallingInput] = []

    def act(unit: Unit, event: ev.SignallingInput) -> None:
        heard.append(event)
        if cancels and isinstance(event, ev.Progressed):
            server.agent.cancel(unit, event.leg)
        elif isinstance(event, ev.InviteAccepted):
            server.agent.bye(unit, event.leg)

    server.react = act
    target = Target(f"sip:m1@{PHONE[0]}:{PHONE[1]}", *PHONE, "udp", "900")
    with sipp(server, text, local=PHONE) as party:
        server.do(lambda unit: server.agent.invite(unit, "out", target, OUR_MEDIA))
        await ended(party)
    return heard


async def test_phone_that_answers(server: Server) -> None:
    heard = await outcome_of_a_call_to(server, scenario.phone())
    assert [type(event) for event in heard] == [ev.Progressed, ev.InviteAccepted]


async def test_phone_that_is_busy(server: Server) -> None:
    heard = await outcome_of_a_call_to(server, scenario.refusing_phone("486 Busy Here"))
    assert heard == [ev.InviteRefused("out", 486, "refused")]


async def test_phone_that_rings_until_it_is_cancelled(server: Server) -> None:
    text = scenario.ringing_phone()
    before, refusal, after = text.partition("487 Request Terminated")
    text = before + refusal + after.replace("[last_CSeq:]", "CSeq: 1 INVITE", 1)
    heard = await outcome_of_a_call_to(server, text, cancels=True)
    assert heard == [ev.Progressed("out", 180, None), ev.InviteRefused("out", 487, "cancelled")]
