"""A small telephone on the same core: for tests, the demo and tools. It registers, places calls and takes them.

It keeps nothing on disk, lets nobody but its server call, and answers its server's challenges with its password.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from callcenter.calls.events import InviteArrived, SignallingInput
from callcenter.calls.ports import MediaDescription, Target
from callcenter.kernel.ids import new_id
from callcenter.kernel.unit import Unit
from callcenter.sip.agent import UserAgent
from callcenter.sip.composing import MAX_FORWARDS, contact
from callcenter.sip.core import Room
from callcenter.sip.dialog import Dialog, branch
from callcenter.sip.digest import MD5, SHA_256, answer_challenge, make_secrets
from callcenter.sip.directory import Directory, Trunk
from callcenter.sip.hop import Hop
from callcenter.sip.invite_client import ReinviteEnded
from callcenter.sip.message import Response
from callcenter.sip.tcp import TcpDriver, Upcalls
from callcenter.sip.transports import TransportLayer
from callcenter.sip.udp import UdpDriver
from callcenter.sip.writer import build_request

Event = TypeVar("Event")
# For a number that is free by UDP and by TCP: a busy machine uses few of its 28,000.
_TRIES = 20


class Call:
    """One call of the client; `heard` has every input of its leg in order, `offer` the caller's where it arrived."""

    def __init__(self, client: "Client", leg: str, arrived: InviteArrived | None = None) -> None:
        self._client = client
        self.leg = leg
        self.arrived = arrived
        self.heard: list[SignallingInput | ReinviteEnded] = []
        self._queue: asyncio.Queue[SignallingInput | ReinviteEnded] = asyncio.Queue()

    def tell(self, event: SignallingInput | ReinviteEnded) -> None:
        """Something happened to the leg."""
        self.heard.append(event)
        self._queue.put_nowait(event)

    async def next(self, kind: type[Event], *, within_s: float = 30.0) -> Event:
        """The next input of `kind`, others skipped; TimeoutError if none comes in time."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self._queue.get()
                if isinstance(event, kind):
                    return event

    def ring(self) -> None:
        """180."""
        self._client.do(lambda unit: self._client.agent.ring(unit, self.leg))

    def answer(self, local: MediaDescription) -> None:
        """200, to the call or to a re-INVITE."""
        self._client.do(lambda unit: self._client.agent.answer(unit, self.leg, local))

    def reject(self, status: int) -> None:
        """A final answer >= 300."""
        self._client.do(lambda unit: self._client.agent.reject(unit, self.leg, status))

    def reinvite(self, local: MediaDescription) -> None:
        """Offer new media; ReinviteEnded follows."""
        self._client.do(lambda unit: self._client.agent.reinvite(unit, self.leg, local))

    def hang_up(self) -> None:
        """BYE, CANCEL or 480, as the call stands."""
        self._client.do(lambda unit: self._client.agent.bye(unit, self.leg))


class Client:
    """Make one with `open`. `algorithm` is the digest that it answers with; `calls` are those that arrived."""

    def __init__(
        self, user: str, password: str, server: Hop, transports: TransportLayer, *, algorithm: str = SHA_256
    ) -> None:
        loop = asyncio.get_running_loop()
        self.user = user
        self.server = server
        self._password = password
        self._algorithm = algorithm
        self._transports = transports
        self._drivers: tuple[UdpDriver, TcpDriver] | None = None
        self._legs: dict[str, Call] = {}
        self._registration = new_id()
        self._register_cseq = 0
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        trunk = Trunk("server", ((server.address, server.port),))
        self.agent = UserAgent(
            transports=transports,
            now=loop.time,
            call_at=loop.call_at,
            room=Room(lambda: Unit(datetime.now(UTC)), self._submit, self._deliver),
            directory=Directory("", [trunk]),
            reinvited=lambda unit, ended: self._legs[ended.leg].tell(ended),  # noqa: ARG005  # the port's signature
            authorize=self._authorize,
        )

    @classmethod
    async def open(
        cls, user: str, password: str, *, server: Hop, address: str = "127.0.0.1", port: int = 0, algorithm: str = MD5
    ) -> "Client":
        """A client with sockets of its own at `address`; UDP and TCP share a port."""
        loop = asyncio.get_running_loop()
        layer = TransportLayer()
        client = cls(user, password, server, layer, algorithm=algorithm)
        agent = client.agent
        udp, listener = udp_and_tcp(address, port)
        layer.udp = receiver = UdpDriver(
            udp, loop=loop, receive=agent.receive, failed=agent.transport_failed, statistics=agent.statistics
        )
        upcalls = Upcalls(agent.receive, agent.receive_malformed, agent.transport_failed)
        layer.tcp = streams = TcpDriver(listener, loop=loop, upcalls=upcalls, statistics=agent.statistics)
        receiver.start()
        await streams.start()
        client._drivers = (receiver, streams)
        return client

    async def close(self) -> None:
        """Close the sockets; calls that are up are left as they are."""
        self.agent.close()
        if self._drivers is not None:
            udp, tcp = self._drivers
            udp.close()
            await tcp.close()

    # -- registering ----------------------------------------------------------------------------------------------

    async def register(self, *, expires_s: int = 3600) -> Response:
        """REGISTER, answering one challenge; 0 seconds unregisters. The final response, TimeoutError if none came."""
        response = await self._register(expires_s, ())
        if response.status in (401, 407):
            proof = self._proof(response, "REGISTER", f"sip:{self.server.address}")
            if proof is not None:
                response = await self._register(expires_s, (proof,))
        return response

    async def _register(self, expires_s: int, extra: tuple[tuple[str, str], ...]) -> Response:
        self._register_cseq += 1
        host, port = self._transports.local_address(self.server)
        name = branch(self._registration, self._register_cseq, "register")
        aor = f"<sip:{self.user}@{self.server.address}>"
        headers = (
            ("Via", f"SIP/2.0/{self.server.transport.upper()} {host}:{port};branch={name};rport"),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", f"{aor};tag={self._registration}"),
            ("To", aor),
            ("Call-ID", self._registration),
            ("CSeq", f"{self._register_cseq} REGISTER"),
            ("Contact", contact((f"{self.user}@{host}", port), self.server)),
            ("Expires", str(expires_s)),
            *extra,
        )
        data = build_request("REGISTER", f"sip:{self.server.address}", headers=headers)
        done: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.agent.transactions.call(
            name,
            "REGISTER",
            data,
            self.server,
            on_response=partial(_resolve, done),
            on_failure=partial(_break, done),
        )
        return await done

    def _proof(self, response: Response, method: str, uri: str) -> tuple[str, str] | None:
        challenges = [
            each for each in response.challenges if each.parameters.get("algorithm", MD5).upper() == self._algorithm
        ]
        realm = challenges[0].parameters.get("realm", "") if challenges else ""
        value = answer_challenge(
            challenges,
            realm=realm,
            username=self.user,
            secrets=make_secrets(self.user, realm, self._password),
            method=method,
            uri=uri,
            cnonce=os.urandom(8).hex(),
        )
        name = "Authorization" if response.status == 401 else "Proxy-Authorization"
        return None if value is None else (name, value)

    def _authorize(self, dialog: Dialog, response: Response) -> tuple[str, str] | None:
        return self._proof(response, "INVITE", dialog.remote_uri)

    # -- calling --------------------------------------------------------------------------------------------------

    def call(self, called: str, local: MediaDescription) -> Call:
        """INVITE `called` at the server; follow it with `Call.next`."""
        server = self.server
        suffix = ";transport=tcp" if server.transport == "tcp" else ""
        uri = f"sip:{called}@{server.address}:{server.port}{suffix}"
        target = Target(uri, server.address, server.port, server.transport, self.user)
        call = Call(self, new_id())
        self._legs[call.leg] = call
        self.do(lambda unit: self.agent.invite(unit, call.leg, target, local))
        return call

    def do(self, act: Callable[[Unit], object]) -> None:
        """Run `act` in a unit of its own."""
        unit = Unit(datetime.now(UTC))
        act(unit)
        self._submit(unit)

    def _submit(self, unit: Unit) -> None:
        for action in unit.actions:
            action()

    def _deliver(self, unit: Unit, event: SignallingInput) -> None:  # noqa: ARG002  # the port's signature
        if isinstance(event, InviteArrived):
            call = self._legs[event.leg] = Call(self, event.leg, event)
            call.tell(event)
            self.calls.put_nowait(call)
        else:
            self._legs[event.leg].tell(event)


def udp_and_tcp(address: str, port: int = 0) -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket with the same port; any that is free for both where `port` is 0."""
    for left in reversed(range(1 if port else _TRIES)):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((address, port))
            return udp, socket.create_server((address, udp.getsockname()[1]))
        except OSError as error:
            udp.close()
            if not left or error.errno != errno.EADDRINUSE:
                raise
    raise AssertionError("the last try returns or raises")


def _resolve(done: asyncio.Future[Response], response: Response) -> None:
    if response.status >= 200 and not done.done():
        done.set_result(response)


def _break(done: asyncio.Future[Response], reason: str) -> None:
    if not done.done():
        done.set_exception(TimeoutError(reason))
