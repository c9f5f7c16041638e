"""The websocket as a client meets it: the real server on loopback."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
import uvloop
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_blocking
from websockets.typing import Origin

from callcenter.console.protocol import Pop
from tests.callcenter.console.events import AT, a_call, event
from tests.callcenter.console.served import PATIENCE_S, Served, receive, send, serving, until_closed
from tests.support.web import AGENT

pytestmark = pytest.mark.integration

POP = Pop("o1", "c1", "billing", "ann", "+390612345", None, 0, AT)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A server with patience."""
    async with serving() as served:
        yield served


async def closing_code(served: Served, *frames: dict[str, object]) -> int | None:
    """What the server closes with after `frames`."""
    async with served.connecting() as client:
        with suppress(ConnectionClosed):  # perhaps before the last of them
            for frame in frames:
                await send(client, **frame)
        return (await until_closed(client))[1]


async def test_a_ticket_opens_one_websocket_and_no_second(served: Served) -> None:
    ticket = await served.ticket("ann", "agent")
    async with served.connecting() as client:
        await send(client, type="auth", ticket=ticket)
        assert await receive(client) == {
            "type": "welcome",
            "user": "user-ann",
            "name": "Ann",
            "agent": "ann",
            "permissions": sorted(AGENT),
            "heartbeat_s": 15.0,
        }
        assert await closing_code(served, {"type": "auth", "ticket": ticket}) == 4401


async def test_an_expired_ticket_is_refused(served: Served) -> None:
    ticket = await served.ticket("ann", "agent")
    served.clock.advance(61)
    assert await closing_code(served, {"type": "auth", "ticket": ticket}) == 4401


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1"])
async def test_a_page_of_another_origin_gets_no_websocket(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with served.connecting(origin):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("silent_after", [0, 1])
async def test_a_client_that_is_late_with_its_first_frames_is_closed(silent_after: int) -> None:
    async with serving(auth_s=0.05) as served:
        auth: dict[str, object] = {"type": "auth", "ticket": await served.ticket("ann", "agent")}
        assert await closing_code(served, *[auth][:silent_after]) == 4401


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "hello", "positions": {}},
        {"type": "auth"},
        {"type": "shout"},
        {"type": "auth", "ticket": "x", "as": 1},
    ],
)
async def test_a_first_frame_that_is_no_good_auth_is_refused(served: Served, frame: dict[str, object]) -> None:
    assert await closing_code(served, frame) in {4400, 4401}


async def test_a_binary_frame_is_refused(served: Served) -> None:
    async with served.connecting() as client:
        await client.send(b"\x00")
        assert await until_closed(client) == (0, 4400)


async def test_a_client_that_goes_on_talking_is_refused(served: Served) -> None:
    ticket = await served.ticket("ann", "agent")
    hello: dict[str, object] = {"type": "hello", "positions": {}}
    assert await closing_code(served, {"type": "auth", "ticket": ticket}, hello, hello) == 4400


async def test_a_supervisor_sees_snapshot_then_events_and_replays_after_a_gap(served: Served) -> None:
    events = a_call()
    for one in events[:4]:
        served.consoles.publish(one)
    async with served.connecting() as client:
        snapshot = await served.enter(client, "sue", "supervisor")
        assert snapshot["positions"] == {"live": 4, "site": 0}
        served.consoles.publish(events[4])
        assert (await receive(client))["event"]["seq"] == 5
    for one in events[5:7]:
        served.consoles.publish(one)
    async with served.connecting() as client:
        assert (await served.enter(client, "sue", "supervisor", live=5))["event"]["seq"] == 6
        assert (await receive(client))["event"]["seq"] == 7


async def test_a_signed_out_console_is_closed(served: Served) -> None:
    async with served.connecting() as client:
        await served.enter(client, "ann", "agent")
        served.consoles.end_session("session1")
        assert await until_closed(client) == (0, 4403)


async def test_a_console_that_leaves_is_forgotten(served: Served) -> None:
    async with served.connecting() as client:
        await served.enter(client, "ann", "agent")
        assert len(served.consoles) == 1
    async with asyncio.timeout(PATIENCE_S):
        await served.left.wait()
    assert len(served.consoles) == 0


async def test_a_slow_console_is_cut_and_the_others_do_not_notice() -> None:
    padding = "x" * 60_000
    async with serving(backlog=4) as served, served.connecting(max_queue=1) as slow, served.connecting() as healthy:
        await served.enter(slow, "sue", "supervisor")
        await served.enter(healthy, "root", "administrator")
        sent = 0
        while not any(console.slow for console in served.consoles.connections):
            sent += 1
            served.consoles.publish(event(sent, "calls.test.padded", "c1", padding=padding))
            assert (await receive(healthy))["event"]["seq"] == sent
        got, code = await until_closed(slow)
        assert code == 4408
        assert got < sent
        served.consoles.publish(event(sent + 1, "calls.test.padded", "c1"))
        assert (await receive(healthy))["event"]["seq"] == sent + 1


def from_a_callback(run: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(run)


def from_a_timer(run: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(0, run)


def from_another_thread(run: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    threading.Thread(target=loop.call_soon_threadsafe, args=(run,)).start()


def watch(served: Served, ticket: str, frames: "queue.Queue[str | bytes]") -> None:
    """A client in a thread of its own: it needs nothing of the server's loop to receive."""
    with connect_blocking(served.url, origin=Origin(served.origin), compression=None) as client:
        client.send(f'{{"type":"auth","ticket":"{ticket}"}}')
        client.recv()
        client.send('{"type":"hello"}')
        for _ in range(2):
            frames.put(client.recv())


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
@pytest.mark.parametrize("start", [from_a_callback, from_a_timer, from_another_thread])
def test_a_pop_is_with_the_kernel_before_the_hand_over_returns(
    new_loop: Callable[[], asyncio.AbstractEventLoop], start: Callable[[Callable[[], None]], None]
) -> None:
    """The server's loop stands still until a client in another thread has got the frame."""
    frames: queue.Queue[str | bytes] = queue.Queue()

    async def scenario() -> str | bytes:
        async with serving() as served:
            ticket = await served.ticket("ann", "agent")
            client = asyncio.create_task(asyncio.to_thread(watch, served, ticket, frames))
            await asyncio.to_thread(frames.get, timeout=PATIENCE_S)
            got: asyncio.Future[str | bytes] = asyncio.get_running_loop().create_future()

            def hand_over() -> None:
                assert served.consoles.pop(POP) == 1
                got.set_result(frames.get(timeout=PATIENCE_S))

            start(hand_over)
            text = await got
            await client
            return text

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert '"type":"pop"' in str(runner.run(scenario()))
