"""An application for the supervisor's tests: keeps its side of the bargain and nothing else.

HTTP and SIP answer with the process number. `STUB_EXIT` makes it end at once with that code, `STUB_DRAIN_S` slow to
drain, `STUB_DEAF` ignore SIGTERM.
"""

import asyncio
import os
import signal
import socket
import sys
from typing import cast

from callcenter.app.inherited import AT_ONCE, Inherited, announce_ready, read_command_line
from callcenter.app.parent import parent_watch


class Echo(asyncio.DatagramProtocol):
    """SIP as far as the supervisor cares."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data + b" " + str(os.getpid()).encode(), addr)


async def _answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(str(os.getpid()).encode())
    writer.close()


async def _main(inherited: Inherited) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def note(name: str) -> None:
        with (inherited.run / "signals").open("a", encoding="ascii") as file:
            file.write(f"{name}\n")

    def stop() -> None:
        note("TERM")
        if "STUB_DEAF" not in os.environ:
            loop.call_later(float(os.environ.get("STUB_DRAIN_S", "0")), over.set)

    def stop_at_once() -> None:
        note("AT_ONCE")
        over.set()

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(AT_ONCE, stop_at_once)
    loop.add_signal_handler(signal.SIGUSR1, note, "USR1")
    parent_watch(loop, inherited.parent, over.set)
    assert isinstance(inherited.sip_udp, socket.socket)
    await loop.create_datagram_endpoint(Echo, sock=inherited.sip_udp)
    await asyncio.start_server(_answer, sock=inherited.http)
    announce_ready(inherited.run, pid=os.getpid(), epoch=1)
    await over.wait()


if __name__ == "__main__":
    if "STUB_EXIT" in os.environ:
        print("settings are no good")
        sys.exit(int(os.environ["STUB_EXIT"]))
    asyncio.run(_main(read_command_line()))
