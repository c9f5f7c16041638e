"""The demo's people, each role a process: `python -m callcenter.app.demo.people phones|callers ...`.

Both are real SIP user agents on our own core. A caller loses patience while he waits; that he is through he hears
from the phones' process over a local datagram, as a person hears a voice instead of music.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from callcenter.app.demo.site import SERVICES
from callcenter.app.demo.voice import Voice, frames_of
from callcenter.calls.events import ByeArrived, CancelArrived, DialogLost, InviteAccepted, InviteRefused
from callcenter.sip.client import Call, Client
from callcenter.sip.hop import Hop

RING_S = (1.0, 4.0)
TALK_S = 18.0
PATIENCE_S = 45.0
LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class Part:
    """What a process is told: where the server is, who it plays, how fast callers come."""

    server: Hop
    people: dict[str, str]
    address: str
    port: int
    per_minute: float
    voice: Path
    news: tuple[str, int]


async def phones(part: Part) -> None:
    """Register every telephone and answer whatever rings."""
    frames = frames_of(part.voice)
    async with asyncio.TaskGroup() as group:
        for user, password in part.people.items():
            group.create_task(_phone(part, user, password, frames))


async def _phone(part: Part, user: str, password: str, frames: list[bytes]) -> None:
    client = await Client.open(user, password, server=part.server, address=part.address)
    await client.register()
    while True:
        call = await client.calls.get()
        with contextlib.suppress(TimeoutError):
            await _answer(part, call, frames)


async def _answer(part: Part, call: Call, frames: list[bytes]) -> None:
    """Ring a little, talk a little, hang up; or hear that the caller is gone."""
    chance = random.Random()  # noqa: S311  # people, not secrets
    call.ring()
    with contextlib.suppress(TimeoutError):
        await call.next(CancelArrived, within_s=chance.uniform(*RING_S))
        return
    voice = Voice(part.address, frames)
    try:
        call.answer(voice.local)
        arrived = call.arrived
        if arrived is not None:
            voice.speak(arrived.offer)
            _tell(part.news, arrived.caller)
        with contextlib.suppress(TimeoutError):
            await call.next(ByeArrived, within_s=chance.expovariate(1 / TALK_S) + 3)
            return
        call.hang_up()
    finally:
        voice.close()


async def callers(part: Part) -> None:
    """Callers come at random, `per_minute` of them on the average."""
    chance = random.Random()  # noqa: S311  # people, not secrets
    frames = frames_of(part.voice)
    client = await Client.open("callers", "", server=part.server, address=part.address, port=part.port)
    through: dict[str, asyncio.Event] = {}
    asyncio.get_running_loop().add_reader(*_listen(part.news, through))
    async with asyncio.TaskGroup() as group:
        number = 0
        while True:
            number += 1
            voice = Voice(part.address, frames)
            group.create_task(_caller(client, voice, f"+3906555{number:05d}", chance, through))
            await asyncio.sleep(chance.expovariate(part.per_minute / 60))


async def _caller(
    client: Client, voice: Voice, number: str, chance: random.Random, through: dict[str, asyncio.Event]
) -> None:
    heard = through[number] = asyncio.Event()
    client.user = number
    call = client.call(chance.choice(list(SERVICES)), voice.local)
    try:
        if await _accepted(call, voice):
            patience = chance.expovariate(1 / PATIENCE_S) + 5
            over = asyncio.create_task(call.next(ByeArrived, within_s=LONGEST_S))
            talking = asyncio.create_task(heard.wait())
            await asyncio.wait({over, talking}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                await asyncio.wait({over}, timeout=LONGEST_S)
            if not over.done():
                call.hang_up()
            over.cancel()
            talking.cancel()
    finally:
        voice.close()
        del through[number]


async def _accepted(call: Call, voice: Voice) -> bool:
    with contextlib.suppress(TimeoutError):
        event = await call.next(InviteAccepted | InviteRefused | DialogLost, within_s=20)  # type: ignore[arg-type]  # isinstance takes a union, TypeVar does not
        if isinstance(event, InviteAccepted):
            voice.speak(event.answer)
            return True
    return False


def _tell(news: tuple[str, int], caller: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(caller.encode(), news)


def _listen(news: tuple[str, int], through: dict[str, asyncio.Event]):  # type: ignore[no-untyped-def]  # the pair that add_reader takes
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(news)
    receiver.setblocking(False)

    def heard() -> None:
        event = through.get(receiver.recv(64).decode())
        if event is not None:
            event.set()

    return receiver, heard


def main() -> None:
    """Play the role until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.app.demo.people", description="Started by the demo.")
    parser.add_argument("role", choices=("phones", "callers"))
    parser.add_argument("part", help="what to play, as JSON")
    given = parser.parse_args()
    told = json.loads(given.part)
    part = Part(
        Hop("udp", *told["server"]),
        told["people"],
        told["address"],
        told["port"],
        told["per_minute"],
        Path(told["voice"]),
        tuple(told["news"]),
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run((phones if given.role == "phones" else callers)(part))


if __name__ == "__main__":
    main()
