"""The server's user agent and our client over real loopback sockets: UDP and TCP, calls both ways, registration."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
import uvloop

from callcenter.calls.events import (
    AckArrived,
    ByeArrived,
    CancelArrived,
    InviteAccepted,
    InviteArrived,
    InviteRefused,
    Progressed,
    ReinviteArrived,
    SignallingInput,
)
from callcenter.kernel.unit import Unit
from callcenter.sip.client import Client, udp_and_tcp
from callcenter.sip.hop import Hop
from callcenter.sip.invite_client import ReinviteEnded
from callcenter.sip.tcp import Bounds
from callcenter.sip.udp import UdpDriver
from tests.support.sip import OUR_MEDIA, PASSWORD, PEER_MEDIA, Peer
from tests.support.sip_server import PATIENCE_S, Server

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    server = Server(getattr(request, "param", Bounds(per_source=4)))
    await server.start()
    yield server
    await server.close()


@pytest.fixture(params=["udp", "tcp"])
async def ann(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    client = await Client.open("ann", PASSWORD, server=server.hop(request.param))
    yield client
    await client.close()
    assert client.agent.statistics.surprises == 0


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_client_registers_and_unregisters(server: Server, transport: str, algorithm: str) -> None:
    client = await Client.open("ann", PASSWORD, server=server.hop(transport), algorithm=algorithm)
    assert (await client.register()).status == 200
    assert server.agent.registration.reachable_users() == {"ann", "m1"}
    assert (await client.register(expires_s=0)).status == 200
    assert server.agent.registration.reachable_users() == {"m1"}
    await client.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_loop_of_the_application_is_served_as_well(transport: str) -> None:
    async def call() -> None:
        server = Server()
        await server.start()
        server.react = lambda unit, event: (
            server.agent.answer(unit, event.leg, OUR_MEDIA) if isinstance(event, InviteArrived) else None
        )
        client = await Client.open("ann", PASSWORD, server=server.hop(transport))
        assert (await client.register()).status == 200
        placed = client.call("100", PEER_MEDIA)
        await placed.next(InviteAccepted)
        placed.hang_up()
        assert isinstance(await server.next(), InviteArrived)
        assert isinstance(await server.next(), AckArrived)
        assert isinstance(await server.next(), ByeArrived)
        await client.close()
        await server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(call())


def test_any_port_is_one_that_is_free_for_both_transports(monkeypatch: pytest.MonkeyPatch) -> None:
    create, asked = socket.create_server, list[int]()

    def taken_at_first(address: tuple[str, int]) -> socket.socket:
        asked.append(address[1])
        if len(asked) < 3:
            raise OSError(errno.EADDRINUSE, "somebody's connection has it")
        return create(address)

    monkeypatch.setattr(socket, "create_server", taken_at_first)
    udp, tcp = udp_and_tcp("127.0.0.1")
    with udp, tcp:
        assert udp.getsockname() == tcp.getsockname() == ("127.0.0.1", asked[2])


def test_port_that_is_asked_for_and_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(OSError, match="in use"):
        udp_and_tcp(*holder.getsockname())


async def test_wrong_password_registers_nothing(server: Server) -> None:
    client = await Client.open("ann", "wrong", server=server.hop("udp"))
    assert (await client.register()).status == 401
    assert server.agent.registration.registered("ann") == ()
    await client.close()


async def test_client_calls_is_answered_and_hangs_up(server: Server, ann: Client) -> None:
    def take(unit: Unit, event: SignallingInput) -> None:
        if isinstance(event, InviteArrived):
            server.agent.ring(unit, event.leg)
            server.agent.answer(unit, event.leg, OUR_MEDIA)

    server.react = take
    call = ann.call("100", PEER_MEDIA)
    assert (await call.next(Progressed)).status == 180
    assert (await call.next(InviteAccepted)).answer == OUR_MEDIA
    arrived = await server.next()
    assert isinstance(arrived, InviteArrived)
    assert (arrived.source, arrived.called, arrived.offer) == ("ann", "100", PEER_MEDIA)
    assert isinstance(await server.next(), AckArrived)
    call.hang_up()
    assert await server.next() == ByeArrived(arrived.leg)


async def test_client_cancels(server: Server, ann: Client) -> None:
    server.react = lambda unit, event: (
        server.agent.ring(unit, event.leg) if isinstance(event, InviteArrived) else None
    )
    call = ann.call("100", PEER_MEDIA)
    await call.next(Progressed)
    call.hang_up()
    assert (await call.next(InviteRefused)).status == 487
    await server.next()
    assert isinstance(await server.next(), CancelArrived)


async def test_server_calls_a_registered_client(server: Server, ann: Client) -> None:
    await ann.register()
    target = server.agent.target_for("ann", from_user="900")
    assert target is not None
    server.do(lambda unit: server.agent.invite(unit, "out", target, OUR_MEDIA))
    async with asyncio.timeout(PATIENCE_S):
        call = await ann.calls.get()
    assert call.arrived is not None
    assert (call.arrived.caller, call.arrived.offer) == ("900", OUR_MEDIA)
    call.ring()
    call.answer(PEER_MEDIA)
    assert await server.next() == Progressed("out", 100, None)
    assert await server.next() == Progressed("out", 180, None)
    assert await server.next() == InviteAccepted("out", PEER_MEDIA)
    await call.next(AckArrived)
    held = replace(PEER_MEDIA, direction="sendonly")
    server.react = lambda unit, event: server.agent.answer(unit, event.leg, OUR_MEDIA)
    call.reinvite(held)
    assert (await call.next(ReinviteEnded)).status == 200
    assert await server.next() == ReinviteArrived("out", held)
    server.do(lambda unit: server.agent.bye(unit, "out"))
    await call.next(ByeArrived)


async def test_client_that_refuses(server: Server, ann: Client) -> None:
    await ann.register()
    target = server.agent.target_for("ann", from_user="900")
    assert target is not None
    server.do(lambda unit: server.agent.invite(unit, "out", target, OUR_MEDIA))
    async with asyncio.timeout(PATIENCE_S):
        (await ann.calls.get()).reject(603)
    assert await server.next() == Progressed("out", 100, None)
    assert await server.next() == InviteRefused("out", 603, "refused")


async def test_nobody_at_a_tcp_target_is_a_refusal(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    target = server.agent.target_for("m1", from_user="900")
    assert target is not None
    nowhere = replace(target, address="127.0.0.1", port=port, transport="tcp")
    server.do(lambda unit: server.agent.invite(unit, "out", nowhere, OUR_MEDIA))
    assert await server.next() == InviteRefused("out", 503, "transport")


async def exchange(server: Server, data: bytes) -> bytes:
    """What the server writes until it closes."""
    reader, writer = await asyncio.open_connection(*server.tcp.address)
    answer = b""
    writer.write(data)
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionResetError):  # closed on what it had not read any more
            answer = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def test_huge_content_length_is_refused_and_the_connection_closed(server: Server) -> None:
    options = Peer(server.hop("tcp")).request("OPTIONS")
    answer = await exchange(server, options.replace(b"Content-Length: 0", b"Content-Length: 999999999"))
    assert answer.startswith(b"SIP/2.0 413 ")


@pytest.mark.parametrize("server", [Bounds(message_s=0.1)], indirect=True)
@pytest.mark.parametrize("data", [b"", b"OPTIONS sip:a@b SIP/2.0\r\nVia: "])
async def test_connection_that_does_not_say_a_message_in_time_is_closed(server: Server, data: bytes) -> None:
    assert await exchange(server, data) == b""
    assert server.agent.statistics.refusals["tcp_slow"] == 1


async def test_message_cut_off_with_its_connection_is_counted(server: Server) -> None:
    reader, writer = await asyncio.open_connection(*server.tcp.address)
    writer.write(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 10\r\n\r\nabc")
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()
    assert server.agent.statistics.refusals["tcp_incomplete"] == 1


async def test_connections_of_one_source_are_bounded(server: Server) -> None:
    options = Peer(server.hop("tcp")).request("OPTIONS")
    open_ones = [await asyncio.open_connection(*server.tcp.address) for _ in range(4)]
    for _, writer in open_ones:
        writer.write(options)
    async with asyncio.timeout(PATIENCE_S):
        answers = [await reader.readuntil(b"\r\n") for reader, _ in open_ones]
        assert answers == [b"SIP/2.0 200 OK\r\n"] * 4
        reader, writer = await asyncio.open_connection(*server.tcp.address)
        open_ones.append((reader, writer))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    for _, writer in open_ones:
        writer.close()


async def test_flood_of_connections_shuts_no_trunk_out() -> None:
    trunk, stranger = "127.0.0.3", "127.0.0.4"
    server = Server(Bounds(connections=4), exempt=frozenset({trunk}))
    await server.start()
    open_ones = [await asyncio.open_connection(*server.tcp.address, local_addr=(stranger, 0)) for _ in range(6)]
    reader, writer = await asyncio.open_connection(*server.tcp.address, local_addr=(trunk, 0))
    writer.write(Peer(server.hop("tcp")).request("OPTIONS"))
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.readuntil(b"\r\n") == b"SIP/2.0 200 OK\r\n"
    assert server.agent.statistics.refusals["tcp_connections"] == 2
    for _, each in [*open_ones, (reader, writer)]:
        each.close()
    await server.close()


async def test_keepalive_over_tcp_is_answered(server: Server) -> None:
    reader, writer = await asyncio.open_connection(*server.tcp.address)
    writer.write(b"\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.readexactly(2) == b"\r\n"
    writer.close()
    await writer.wait_closed()


async def test_bug_behind_one_datagram_does_not_stop_the_next() -> None:
    loop = asyncio.get_running_loop()
    server = Server()
    seen: list[bytes] = []

    def fail(data: bytes, source: Hop) -> None:
        seen.append(data)
        raise ZeroDivisionError

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    driver = UdpDriver(udp, loop=loop, receive=fail, failed=print, statistics=server.agent.statistics)
    driver.start()
    driver.send(b"one", Hop("udp", *driver.address))
    driver.send(b"two", Hop("udp", *driver.address))
    async with asyncio.timeout(PATIENCE_S):
        while len(seen) < 2:  # noqa: ASYNC110  # the driver has no event to wait for
            await asyncio.sleep(0)
    assert server.agent.statistics.surprises == 2
    driver.close()
    server.udp.close()
    await server.tcp.close()
