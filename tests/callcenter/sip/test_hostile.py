"""What a stranger sends to the whole user agent: the corpus, and broken versions of a call's own messages.

The bar is security.md section A: no dialog, no registration, no call, nothing for a response or an ACK, and no
exception but a bug's. Rows are encoded as the journal would, so text that cannot be stored would show as well.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calls.events import InviteArrived, ReinviteArrived, SignallingInput
from callcenter.calls.ports import Target
from callcenter.kernel.unit import Unit
from callcenter.sip.hop import Hop
from callcenter.sip.limits import SourceLimits
from callcenter.sip.message import Malformed, Request, Response, parse_message
from tests.support.shared import shared_path
from tests.support.sip import OUR_MEDIA, PHONE, STRANGER, TRUNK, Peer, SipWorld, authorized, respond, sdp
from tests.support.sip_material import ALL_SEEDS, broken, loose, protos

ANSWERS_TO_STRANGERS = {400, 401, 405, 413, 414, 415, 416, 420, 481, 483, 500, 501, 505, 513}
MAX_DATAGRAM = 65507


def open_world() -> SipWorld:
    """A world whose limits let every message reach the parser."""
    return SipWorld(limits=SourceLimits(rate=1e6, burst=1e6))


def kind(data: bytes) -> str:
    try:
        message = parse_message(data)
    except Malformed:
        return "malformed"
    return message.method if isinstance(message, Request) else "response"


@pytest.mark.parametrize("read", ["loose", "protos"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_corpus_makes_nothing_and_every_probe_is_answered(read: str, transport: str) -> None:
    folder = shared_path("corpus/sip")
    messages = loose(folder) if read == "loose" else protos(folder / "protos_register.tar.gz")
    world = open_world()
    source = Hop(transport, "127.0.0.2", 5060)
    probe = Peer(STRANGER)
    wrong: list[str] = []
    for name, data in messages.items():
        world.receive(data, source)
        statuses = {int(answer[8:11]) for answer in world.take_raw()}
        allowed = ANSWERS_TO_STRANGERS | ({200} if kind(data) == "OPTIONS" else set())
        silent = kind(data) in ("response", "ACK")
        if statuses - allowed or (silent and statuses):
            wrong.append(f"{name}: {statuses}")
        world.receive(probe.request("OPTIONS"), STRANGER)
        if world.take_lines() != ["200 OPTIONS"]:
            wrong.append(f"{name}: probe")
    assert wrong == []
    assert (world.inputs, world.commits, world.agent.dialogs) == ([], 0, {})
    assert world.agent.registration.reachable_users() == {"m1"}
    assert world.agent.transaction_count == 0


@settings(max_examples=300, deadline=None)
@given(data=broken(ALL_SEEDS))
def test_broken_message_of_a_stranger_makes_nothing(data: bytes) -> None:
    world = open_world()
    world.receive(data, STRANGER)
    assert (world.inputs, world.commits, world.agent.dialogs) == ([], 0, {})


def recorded_call() -> tuple[bytes, ...]:
    """The peers' messages of an arrived and a placed call, a registration, and a re-INVITE."""
    peer, ann = Peer(), Peer(PHONE, "ann", "ann", call_id="reg", tag="anntag")
    world = SipWorld()
    messages = [peer.request("INVITE", body=sdp(), headers=("Record-Route: <sip:10.0.0.2;lr>",))]
    world.receive(messages[0])
    messages.append(peer.beside(messages[0], "CANCEL"))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag = "leg1"
    messages.append(peer.request("ACK", body=sdp()))
    peer.cseq = 2
    messages += [peer.request("INVITE", body=sdp()), peer.request("INVITE"), peer.request("BYE", cseq=4)]
    messages += [peer.request("OPTIONS", cseq=3), peer.request("INFO", cseq=3), peer.request("UPDATE", cseq=3)]
    world.take()
    world.do(lambda unit: world.agent.invite(unit, "out", target(), OUR_MEDIA))
    (invite,) = world.take()
    assert isinstance(invite, Request)
    messages += [respond(invite, status, body=body) for status, body in ((100, b""), (183, sdp()), (200, sdp()))]
    messages += [respond(invite, 200, tag="fork"), respond(invite, 486), respond(invite, 407)]
    world.receive(ann.request("REGISTER"), PHONE)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    messages.append(ann.request("REGISTER", cseq=2, headers=authorized(challenge, "REGISTER", "ann")))
    return tuple(messages)


def target() -> Target:
    return Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900")


RECORDED = recorded_call()
STEP = st.one_of(
    st.sampled_from(RECORDED),
    broken(RECORDED),
    st.sampled_from(["ring", "answer", "reject", "bye", "cancel", "invite", "reinvite", "restart"]),
    st.floats(0.1, 40.0),
)


def obey(world: SipWorld, order: str, leg: str) -> None:
    """The room does something to a leg, whatever its state."""
    agent = world.agent
    acts: dict[str, Callable[[Unit], object]] = {
        "ring": lambda unit: agent.ring(unit, leg),
        "answer": lambda unit: agent.answer(unit, leg, OUR_MEDIA),
        "reject": lambda unit: agent.reject(unit, leg, 486),
        "bye": lambda unit: agent.bye(unit, leg, "walk"),
        "cancel": lambda unit: agent.cancel(unit, leg),
        "invite": lambda unit: agent.invite(unit, "out", target(), OUR_MEDIA),
        "reinvite": lambda unit: agent.reinvite(unit, leg, OUR_MEDIA),
    }
    unit = world.open_unit()
    acts[order](unit)
    world.submit(unit)


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(
        st.tuples(STEP, st.sampled_from([TRUNK, PHONE, STRANGER]), st.sampled_from(["leg1", "out"])),
        min_size=30,
        max_size=60,
    )
)
def test_any_walk_of_messages_orders_time_and_restarts_ends_clean(
    steps: list[tuple[bytes | str | float, Hop, str]],
) -> None:
    world = open_world()
    orders = [step for step, _, _ in steps]
    for at, (step, source, leg) in enumerate(steps):
        if isinstance(step, bytes):
            world.receive(step, source)
        elif step == "invite" and "invite" in orders[:at]:
            continue  # a leg is used once
        elif step == "restart":
            world = world.restarted()
        elif isinstance(step, str):
            obey(world, step, leg)
        else:
            world.loop.advance(step)
        world.take_raw()
        known = set(world.agent.dialogs)
        assert {id_ for id_, _ in world.rows_of("dialog")} == known
    for leg in list(world.agent.dialogs):
        obey(world, "bye", leg)
    world.loop.advance(200)
    assert world.agent.dialogs == {}
    assert world.rows_of("dialog") == []
    assert world.agent.transaction_count == 0


def test_walk_reaches_calls_that_are_up() -> None:
    """The recorded messages do make the calls that the walk above breaks."""
    world = open_world()

    def take(unit: Unit, event: SignallingInput) -> None:
        if isinstance(event, InviteArrived | ReinviteArrived):
            world.agent.answer(unit, event.leg, OUR_MEDIA)

    world.react = take
    for data in (RECORDED[0], RECORDED[2], RECORDED[3], RECORDED[5]):
        world.receive(data)
    assert [type(event).__name__ for event in world.inputs] == [
        "InviteArrived",
        "AckArrived",
        "ReinviteArrived",
        "ByeArrived",
    ]
