"""Who may speak to a worker, and the bounded memory of its events."""

import asyncio
import os
import socket
from pathlib import Path
from typing import cast

import pytest

from callcenter.media import protocol
from callcenter.media.control import Control, Host, peer_uid
from callcenter.media.event_log import EventLog
from callcenter.media.protocol import Digit, Event, Frames


def test_the_other_ends_user_is_what_the_kernel_says() -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with one, two:
        assert peer_uid(one) == os.getuid()


def test_events_are_kept_until_acknowledged() -> None:
    log, heard = EventLog(), list[Event]()
    log.listener = heard.append
    for _ in range(3):
        log.emit(lambda n: Digit(n, "a", n, "1"))
    log.acknowledge(2)
    assert [event.n for event in heard] == [1, 2, 3]
    assert [event.n for event in log.waiting()] == [3]


def test_the_oldest_events_are_given_up_and_counted() -> None:
    log = EventLog(capacity=2)
    for _ in range(5):
        log.emit(lambda n: Digit(n, "a", n, "1"))
    assert ([event.n for event in log.waiting()], log.lost, len(log)) == ([4, 5], 3, 2)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_frames_come_whole_however_the_stream_is_cut(size: int) -> None:
    messages = [protocol.Ack(number) for number in range(5)]
    stream = b"".join(protocol.encode(message) for message in messages)
    frames = Frames()
    bodies = [body for start in range(0, len(stream), size) for body in frames.feed(stream[start : start + size])]
    assert [protocol.decode_to_worker(body) for body in bodies] == messages


def test_every_message_reads_back_as_it_was_written() -> None:
    remote = protocol.Remote("192.0.2.1", 4000, ((8, "PCMA"), (0, "PCMU")), None, "inactive", 30)
    state = protocol.SessionState("a", "127.0.0.1", 20000, 7, playing="p", looping=True, remote=remote)
    to_worker = [
        protocol.Hello(1, 2, "x"), protocol.Open("a", 1, remote, "b"), protocol.Play("a", 2, "p", ("x.wav",), True),
        protocol.Bridge("a", 3, "b", None), protocol.Record("a", 4, "m", "p.wav", 1000), protocol.Drain(),
    ]  # fmt: skip
    from_worker = [
        protocol.Welcome(1, "w1", 2, "x", False, 0, (state,), (Digit(1, "a", 1, "5"),)),
        protocol.Closed(1, "a", 1, 2, 3, 4, None, None, 5, None), protocol.Refused("epoch", 1, 9),
    ]  # fmt: skip
    assert [protocol.decode_to_worker(protocol.encode(each)[4:]) for each in to_worker] == to_worker
    assert [protocol.decode_from_worker(protocol.encode(each)[4:]) for each in from_worker] == from_worker


class NoHost:
    """A worker that is never reached."""

    def surprise(self) -> None:
        raise AssertionError


async def test_a_peer_of_another_user_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    control = Control(cast("Host", NoHost()))
    path = tmp_path / "s"
    server = await asyncio.get_running_loop().create_unix_server(control.connection, path)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    reader, writer = await asyncio.open_unix_connection(path)
    assert await reader.read() == b""
    assert (control.refused, control.attached) == ({"uid": 1}, None)
    writer.close()
    server.close()
