"""One console's outgoing side, over a socket that the test opens and shuts."""

import asyncio

import pytest

from callcenter.console.connection import Connection, Message
from tests.support.web import principal


class Socket:
    """An ASGI `send` that waits before writing while `writable` is clear, as the real one does."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.sent: list[str] = []
        self.closed: list[int] = []
        self.broken = False

    async def send(self, message: Message) -> None:
        """Write a frame, or the closing one."""
        await self.writable.wait()
        if self.broken:
            raise OSError
        if message["type"] == "websocket.close":
            self.closed.append(message["code"])
        else:
            self.sent.append(message["text"])


@pytest.fixture
def socket() -> Socket:
    """A socket that takes everything."""
    return Socket()


@pytest.fixture
async def connection(socket: Socket) -> Connection:
    """A console with a backlog of three frames."""
    return Connection(socket.send, principal("ann", "agent"), limit=3)


async def test_a_frame_is_written_before_the_call_returns(socket: Socket, connection: Connection) -> None:
    connection.push("a")
    assert connection.write_now("b")
    assert socket.sent == ["a", "b"]


async def test_frames_wait_in_order_for_a_full_socket(socket: Socket, connection: Connection) -> None:
    socket.writable.clear()
    for text in "abc":
        connection.push(text)
    assert socket.sent == []
    socket.writable.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    connection.push("d")
    assert socket.sent == ["a", "b", "c", "d"]


async def test_a_frame_behind_a_backlog_does_not_overtake_it(socket: Socket, connection: Connection) -> None:
    socket.writable.clear()
    connection.push("a")
    socket.writable.set()
    connection.push("b")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert socket.sent == ["a", "b"]


async def test_a_console_that_takes_nothing_is_cut_after_its_backlog(socket: Socket, connection: Connection) -> None:
    socket.writable.clear()
    for text in "abcd":
        connection.push(text)
    assert connection.closed
    socket.writable.set()
    await connection.gone
    assert socket.closed == [4408]
    assert socket.sent == []


async def test_a_console_that_takes_no_pop_at_once_is_cut(socket: Socket, connection: Connection) -> None:
    socket.writable.clear()
    assert not connection.write_now("pop")
    socket.writable.set()
    await connection.gone
    assert socket.closed == [4408]


async def test_a_console_that_has_gone_is_noticed_when_written_to(socket: Socket, connection: Connection) -> None:
    socket.broken = True
    assert not connection.write_now("pop")
    assert connection.gone.done()
    connection.push("late")
    connection.close(4403, "late")
    assert socket.sent == []


async def test_a_console_that_goes_with_a_backlog_is_let_go(socket: Socket, connection: Connection) -> None:
    socket.writable.clear()
    connection.push("a")
    await asyncio.sleep(0)
    socket.broken = True
    socket.writable.set()
    await connection.gone
    assert connection.closed


async def test_nothing_follows_the_closing_frame(socket: Socket, connection: Connection) -> None:
    connection.close(4403, "session ended")
    connection.close(4408, "again")
    connection.push("a")
    assert not connection.write_now("b")
    await connection.gone
    assert (socket.closed, socket.sent) == ([4403], [])
