"""Races with real legs: whatever crosses on the wire, nobody is stuck, nothing doubled, screens are right."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from tests.e2e.house import (
    OWN_RTP_PORTS,
    PHONE_PORT,
    QUEUE,
    House,
    files,
    phone_address,
)
from tests.e2e.screen import Screen
from tests.support.racing_phone import RacingPhone
from tests.support.scenario import caller, phone, registration
from tests.support.server import Document, Server, eventually
from tests.support.sip_party import Call
from tests.support.sipp import Sipp

pytestmark = pytest.mark.e2e

SCREEN_QUEUE = "450"
PEOPLE = ("anna", "cleo", "talk")
ROUNDS = 14
CROSSING_S = 0.05
RING_S = 0.2
ENTRY_ENDS = {"acd.entry.answered", "acd.entry.abandoned", "acd.entry.ended"}
OFFER_ENDS = {f"acd.offer.{name}" for name in ("accepted", "declined", "timed_out", "rescinded", "failed")}


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site whose agents need no time after a call; `talk` accepts on the screen."""
    folder = tmp_path_factory.mktemp("races")
    site = files(OWN_RTP_PORTS)
    site.queues = [
        {"name": "billing", "skills": {"billing": 1}, "music": "music", "ring_s": 2, "wrap_up_s": 0},
        {"name": "desk", "skills": {"desk": 1}, "music": "music", "ring_s": 2, "wrap_up_s": 0},
    ]
    site.agents.append(
        {"id": "talk", "name": "Talk", "user": "talk", "phone": "talk", "skills": {"desk": 3}, "delivery": "console"}
    )
    desk = {
        "kind": "queue",
        "queue": "desk",
        "music": ["music"],
        "next": "end",
        "on_timeout": "end",
        "on_full": "end",
    }
    site.flows["desk"] = {
        "language": "en", "start": "desk", "on_error": "end", "nodes": {"desk": desk, "end": {"kind": "hangup"}},
    }  # fmt: skip
    site.trunks[0]["numbers"][SCREEN_QUEUE] = "desk"
    with Server(folder, site) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        assert house.client("sue").get("/api/status").json()["surprises"] == 0
        house.close()
        assert server.tracebacks() == []


@pytest.fixture(autouse=True)
def everyone_signed_out(races: House) -> Iterator[None]:
    """And nobody is stuck in anything: each can be signed out."""
    yield
    for agent in PEOPLE:
        if races.agent(agent)["state"] != "logged_out":
            races.set_state(agent, "logged_out")
        races.becomes(agent, "logged_out")


def available(house: House, *agents: str) -> None:
    for agent in agents:
        house.register(agent)
        house.set_state(agent, "available")
        house.becomes(agent, "available")


def racing(house: House, agent: str, *, answers_after_s: float | None = None, late: bool = False) -> RacingPhone:
    where = (phone_address(agent), PHONE_PORT)
    return RacingPhone(house.server.sip, where, answers_after_s=answers_after_s, late=late)


def customer(house: House, stack: ExitStack, number: str, service: str) -> Call:
    """A caller in the queue."""
    return stack.enter_context(house.customer(number, service))


def leave(call: Call) -> None:
    """The caller hangs up; the answer is not waited for."""
    call.party.send(call.request("BYE", cseq=9))


def events_of(house: House, contact: str) -> list[Envelope]:
    reader = JournalReader(house.server.data / "live.db")
    try:
        return reader.events_of(contact)
    finally:
        reader.close()


def whole(house: House, number: str) -> Document:
    """The record of the only call from `number`, of which every part has ended exactly once."""
    record = house.record(number)
    listed = house.client("sue").get("/api/calls", params={"limit": 200}).json()["calls"]
    assert sum(call["caller"] == number for call in listed) == 1
    ended: Counter[str] = Counter()
    begun: set[str] = set()
    joined = 0
    for event in events_of(house, record["contact"]):
        joined += event.type == "calls.bridge.joined"
        for kind, starts, ends in (
            ("entry", {"acd.entry.queued"}, ENTRY_ENDS),
            ("offer", {"acd.offer.created"}, OFFER_ENDS),
            ("leg", {"calls.contact.received", "calls.leg.invited"}, {"calls.leg.ended"}),
        ):
            if event.type in starts:
                begun.add(f"{kind} {event.data[kind]}")
            if event.type in ends:
                ended[f"{kind} {event.data[kind]}"] += 1
        ended["contact"] += event.type == "calls.contact.ended"
    assert ended == Counter({**dict.fromkeys(begun, 1), "contact": 1})
    assert joined <= 1
    assert record["result"] == ("answered" if joined else "abandoned")
    assert [offer["outcome"] for offer in record["offers"]].count("accepted") <= 1
    return record


def at(moment: float, act: Callable[[], object]) -> float:
    """Do it then; when it was begun (monotonic seconds)."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 0.005))
    begun = time.monotonic()
    act()
    return begun


def possible(phone: RacingPhone, hung_up_at: float) -> set[str]:
    """What may have become of the last call at `phone`: both reach one socket, so what was sent first counts."""
    dialog = list(phone.dialogs.values())[-1]
    if dialog.final != 200:
        return {"abandoned"}
    return {"answered"} if dialog.answered_at < hung_up_at else {"answered", "abandoned"}


@pytest.mark.parametrize("first", ["answer", "hang_up"])
def test_answer_and_hang_up_cross_within_50_ms(races: House, first: str) -> None:
    """The phone answers and the caller hangs up, up to 50 ms apart, in either order, at seeded instants."""
    chance = random.Random(f"crossing {first}")
    available(races, "anna")
    results = Counter[str]()
    with racing(races, "anna", answers_after_s=RING_S) as anna, ExitStack() as stack:
        for _ in range(ROUNDS):
            apart = chance.uniform(0, CROSSING_S)
            number = races.number()
            call = customer(races, stack, number, QUEUE)
            rang_at = anna.wait_ringing()
            hung_up_at = at(rang_at + RING_S + (apart if first == "answer" else -apart), call.hang_up)
            eventually("the phone is done", lambda: anna.all_over)
            races.becomes("anna", "available")
            result = whole(races, number)["result"]
            results[result] += 1
            assert result in possible(anna, hung_up_at)
    assert results.total() == ROUNDS
    # A busy machine makes some of them late, but hardly all.
    assert results["answered" if first == "answer" else "abandoned"] > 0


def test_both_hang_up_at_once(races: House) -> None:
    chance = random.Random("both")
    available(races, "anna")
    with racing(races, "anna", answers_after_s=0.02) as anna, ExitStack() as stack:
        for _ in range(ROUNDS):
            number = races.number()
            call = customer(races, stack, number, QUEUE)
            anna.wait_ringing()
            eventually("the phone has answered", lambda: anna.is_talking, every_s=0.005)
            over_at = time.monotonic() + 0.13
            apart = chance.uniform(-CROSSING_S, CROSSING_S)
            ends: list[tuple[float, Callable[[], object]]] = [
                (over_at, anna.hang_up), (over_at + apart, partial(leave, call)),
            ]  # fmt: skip
            for moment, act in sorted(ends, key=lambda end: end[0]):
                at(moment, act)
            races.becomes("anna", "available")
            assert whole(races, number)["result"] == "answered"
        eventually("the phone is done", lambda: anna.all_over)


def test_a_late_200_of_a_cancelled_leg_is_no_second_agent(races: House) -> None:
    """Anna's phone answers with the CANCEL on its way, while Cleo's has rung already: one of them talks."""
    available(races, "anna", "cleo")
    number = races.number()
    with (
        racing(races, "anna", late=True) as anna,
        racing(races, "cleo", answers_after_s=0.3) as cleo,
        ExitStack() as stack,
    ):
        call = customer(races, stack, number, QUEUE)
        anna.wait_ringing()
        cleo.wait_ringing()
        races.becomes("cleo", "on_contact")
        eventually("anna's call is hung up", lambda: anna.all_over)
        assert next(iter(anna.dialogs.values())).final == 200
        assert races.agent("anna")["state"] == "not_ready"
        assert races.agent("cleo")["contact"] is not None
        call.hang_up()
        races.becomes("cleo", "available")
        eventually("cleo's phone is done", lambda: cleo.all_over)
    record = whole(races, number)
    assert [(each["agent"], each["outcome"]) for each in record["offers"]] == [
        ("anna", "timed_out"),
        ("cleo", "accepted"),
    ]
    assert record["agent"] == "cleo"


def test_an_agent_who_signs_out_while_ringing_is_cancelled_and_the_caller_goes_to_the_next(races: House) -> None:
    available(races, "anna", "cleo")
    number = races.number()
    with racing(races, "anna") as anna, racing(races, "cleo", answers_after_s=0.1) as cleo, ExitStack() as stack:
        call = customer(races, stack, number, QUEUE)
        anna.wait_ringing()
        races.set_state("anna", "logged_out")
        eventually("anna's phone is cancelled", lambda: anna.all_over)
        races.becomes("anna", "logged_out")
        races.becomes("cleo", "on_contact")
        call.hang_up()
        races.becomes("cleo", "available")
        eventually("cleo's phone is done", lambda: cleo.all_over)
    assert [(each["agent"], each["outcome"], each["reason"]) for each in whole(races, number)["offers"]] == [
        ("anna", "rescinded", "signed_out"),
        ("cleo", "accepted", None),
    ]


def test_signing_out_and_answering_cross(races: House) -> None:
    """Whichever comes first holds: he talks and is signed out afterwards, or his phone is hung up at once."""
    chance = random.Random("sign out")
    with racing(races, "anna", answers_after_s=RING_S) as anna, ExitStack() as stack:
        for _ in range(ROUNDS // 2):
            available(races, "anna")
            number = races.number()
            call = customer(races, stack, number, QUEUE)
            rang_at = anna.wait_ringing()
            at(
                rang_at + RING_S + chance.uniform(-CROSSING_S, CROSSING_S),
                lambda: races.set_state("anna", "logged_out"),
            )
            time.sleep(0.1)
            call.hang_up()
            eventually("the phone is done", lambda: anna.all_over)
            races.becomes("anna", "logged_out")
            whole(races, number)


def test_a_phone_that_unregisters_while_idle_is_not_rung_until_it_is_back(races: House) -> None:
    available(races, "anna")
    races.register("anna", expires_s=0)
    number = races.number()
    with ExitStack() as stack:
        call = customer(races, stack, number, QUEUE)
        with racing(races, "anna", answers_after_s=0.05) as anna:
            address, port = phone_address("anna"), PHONE_PORT
            tells(races, "anna", f"<sip:anna@{address}:{port};transport=udp>", expires_s=3600)
            races.becomes("anna", "on_contact")
            call.hang_up()
            races.becomes("anna", "available")
            eventually("the phone is done", lambda: anna.all_over)
    assert [offer["outcome"] for offer in whole(races, number)["offers"]] == ["accepted"]


def test_a_phone_that_unregisters_while_ringing_keeps_nobody_waiting(races: House) -> None:
    """It says that it will not be there; the caller goes on to the next agent, and it is not rung again."""
    available(races, "anna", "cleo")
    number = races.number()
    with racing(races, "cleo", answers_after_s=0.1) as cleo, ExitStack() as stack:
        with racing(races, "anna") as anna:
            call = customer(races, stack, number, QUEUE)
            anna.wait_ringing()
            tells(races, "anna", "*", expires_s=0)
            cleo.wait_ringing()
            eventually("anna's phone is cancelled", lambda: anna.all_over)
        races.becomes("cleo", "on_contact")
        call.hang_up()
        races.becomes("cleo", "available")
        eventually("cleo's phone is done", lambda: cleo.all_over)
    assert whole(races, number)["agent"] == "cleo"


def test_a_phone_that_unregisters_while_talking_goes_on_talking_and_gets_no_further_call(races: House) -> None:
    available(races, "anna")
    number, later = races.number(), races.number()
    with racing(races, "anna", answers_after_s=0.05) as anna, ExitStack() as stack:
        call = customer(races, stack, number, QUEUE)
        races.becomes("anna", "on_contact")
        tells(races, "anna", "*", expires_s=0)
        waiting = customer(races, stack, later, QUEUE)
        assert call.is_up()
        call.hang_up()
        races.becomes("anna", "available")
        eventually("anna's phone is done", lambda: anna.all_over)
        waiting.hang_up()
        assert len(anna.dialogs) == 1
    assert whole(races, number)["result"] == "answered"
    assert whole(races, later)["result"] == "abandoned"


def tells(house: House, user: str, contact: str, *, expires_s: int) -> None:
    """Where `user` is to be found, told from a port beside the phone's, at which it listens; "*" and 0: nowhere."""
    own = f"<sip:{user}@[local_ip]:[local_port];transport=[transport]>"
    sipp = Sipp(
        registration(user, expires_s=expires_s).replace(f"Contact: {own}", f"Contact: {contact}"),
        house.server.sip,
        (phone_address(user), PHONE_PORT + 1),
        auth=(user, house.password(user)),
        timeout_s=10,
    )
    sipp.start().wait()
    house._registered = {one for one in house._registered if not one.startswith(f"{user}/")}


def test_a_console_that_reloads_in_a_call_shows_it_again(races: House) -> None:
    available(races, "anna")
    number = races.number()
    with racing(races, "anna", answers_after_s=0.3) as anna, ExitStack() as stack:
        with Screen(races, "anna") as before:
            call = customer(races, stack, number, QUEUE)
            anna.wait_ringing()
            before.wait_for("pop")
        with Screen(races, "anna") as ringing:
            seen = ringing.of("snapshot")[0]
            assert [pop["caller"] for pop in seen["pops"]] == [number]
        races.becomes("anna", "on_contact")
        with Screen(races, "anna") as again:
            state = again.of("snapshot")[0]
            (me,) = [row for row in state["agents"] if row["id"] == "anna"]
            assert me["state"] == "on_contact"
            assert [pop["caller"] for pop in state["pops"]] == [number]
            call.hang_up()
            eventually("the screen sees the end", lambda: again.events("acd.agent.state_changed"))
        races.becomes("anna", "available")
        with Screen(races, "anna") as after:
            assert after.of("snapshot")[0]["pops"] == []
    whole(races, number)


def pops_since(screen: Screen, turn: int) -> list[Document]:
    return screen.of("pop")[turn:]


def test_accepting_on_the_screen_crosses_the_callers_hang_up_and_the_timeout(races: House) -> None:
    """`console` delivery: the accept is late, early, or twice; the phone is rung only while the offer stands."""
    chance = random.Random("screen")
    races.register("talk")
    with racing(races, "talk", answers_after_s=0.02) as talk, Screen(races, "talk") as screen, ExitStack() as stack:
        races.set_state("talk", "available")
        client = races.client("talk")
        for turn in range(ROUNDS // 2):
            number = races.number()
            call = customer(races, stack, number, SCREEN_QUEUE)
            (pop,) = eventually("the pop", partial(pops_since, screen, turn))
            accept = partial(client.post, "/api/agents/me/offer", json={"offer": pop["offer"], "accept": True})
            now = time.monotonic()
            acts: list[tuple[float, Callable[[], object]]] = [
                (now + 0.06, accept),
                (now + 0.06 + chance.uniform(-CROSSING_S, CROSSING_S), partial(leave, call)),
                (now + 0.07, accept),
            ]  # fmt: skip
            for moment, act in sorted(acts, key=lambda each: each[0]):
                at(moment, act)
            races.becomes("talk", "available")
            eventually("the phone is done", lambda: talk.all_over)
            whole(races, number)


def test_sipp_phone_and_sipp_caller_hang_up_and_answer_together(races: House) -> None:
    """The same crossing with an implementation that is not ours at both ends."""
    available(races, "anna")
    for ring_ms, talk_ms in ((300, 320), (300, 340), (320, 400)):
        number = races.number()
        with (
            races.phone("anna", phone(ring_ms=ring_ms)) as anna,
            races.caller(caller(number=number), QUEUE, talk_ms=talk_ms) as one,
        ):
            one.wait()
            anna.finish()
        races.becomes("anna", "available")
        whole(races, number)
