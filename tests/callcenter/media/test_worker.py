"""A real worker process, spoken to over its socket and over RTP on the loopback."""

import asyncio
import os
import random
import socket
import struct
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from callcenter.media import protocol, rtcp, telephone_event
from callcenter.media.g711 import PCMA, PCMU
from callcenter.media.reception import ReportBlock
from callcenter.media.rtp import build
from callcenter.media.worker import BEHIND_S
from tests.support import tone
from tests.support.media_worker import DEADLINE_S, Client, Phone, WorkerProcess, eventually, samples_in_header, talk

pytestmark = pytest.mark.integration
NewPhone = Callable[..., Phone]


async def test_a_prompt_is_heard_whole_and_its_end_is_told(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path
) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    one = tone.write_wave(tmp_path / "1.wav", tone.samples(440, 0.25, rate=16000), rate=16000, channels=2)
    two = tone.write_wave(tmp_path / "2.wav", tone.samples(1000, 0.25))
    client.send(protocol.Play("a", client.number("a"), "hello", (str(one), str(two))))
    await client.hear(protocol.PlayEnded, lambda event: event.command == "hello")
    await eventually(lambda: len(caller.packets()) >= 25)
    packets = caller.packets()
    heard = tone.linear(caller.audio())
    assert abs(len(heard) - 4000) <= 160
    assert tone.above_neighbours_db(heard[200:1800], 440) > 30
    assert tone.above_neighbours_db(heard[2200:3800], 1000) > 30
    steps = [(after[2] - before[2], after[3] - before[3], after[0]) for before, after in pairwise(packets)]
    if (await client.statistics()).worst_lateness_us > 1_000_000 * BEHIND_S:
        # It was stopped for longer than it makes good again: what comes after the pause begins anew.
        steps = [step for step in steps if not (step[0] == 1 and step[1] > 160 and step[2])]
    assert packets[0][0]
    assert set(steps) == {(1, 160, 0)}
    await client.close()


async def test_music_loops_until_it_is_stopped(worker: WorkerProcess, phone: NewPhone, tmp_path: Path) -> None:
    client, caller = await Client.attach(worker.path), phone(codec=PCMA)
    await client.open("a", caller)
    path = tone.write_wave(tmp_path / "1.wav", tone.samples(440, 0.05))
    client.send(protocol.Play("a", client.number("a"), "music", (str(path),), loop=True))
    await eventually(lambda: len(caller.packets()) > 20)
    client.send(protocol.Stop("a", client.number("a")))
    statistics = await client.statistics()
    count = statistics.packets_sent
    assert (await client.statistics()).packets_sent == count
    assert client.heard(protocol.PlayEnded) == []
    assert tone.above_neighbours_db(tone.linear(caller.audio(), PCMA)[:3000], 440) > 20
    await client.close()


@pytest.mark.parametrize("content", [None, b"no sound"])
async def test_a_prompt_that_cannot_be_played_is_told(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path, content: bytes | None
) -> None:
    client = await Client.attach(worker.path)
    await client.open("a", phone())
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    client.send(protocol.Play("a", client.number("a"), "p", (str(path),)))
    failed = await client.hear(protocol.Failed)
    assert failed.reason == ("prompt_missing" if content is None else "prompt_format")
    assert failed.command
    await client.close()


async def test_echo_returns_the_callers_own_sound(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    client.send(protocol.Echo("a", client.number("a")))
    await client.statistics()
    await talk({caller: tone.frames(700, 0.4)})
    await eventually(lambda: len(caller.packets()) == 20)
    assert caller.audio() == b"".join(tone.frames(700, 0.4))
    await client.close()


async def test_a_worker_that_slept_through_silence_loses_no_packet(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path
) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)

    async def has_slept() -> None:
        before = (await client.statistics()).ticks
        # Steps slept through are counted when it wakes: many at once.
        while (now := (await client.statistics()).ticks) - before <= 10:
            before = now

    await has_slept()
    client.send(protocol.Echo("a", client.number("a")))
    await client.statistics()
    await talk({caller: tone.frames(700, 0.4)})
    await eventually(lambda: len(caller.packets()) == 20)
    assert caller.audio() == b"".join(tone.frames(700, 0.4))
    await has_slept()
    path = tone.write_wave(tmp_path / "1.wav", tone.samples(440, 0.25))
    client.send(protocol.Play("a", client.number("a"), "hello", (str(path),)))
    await client.hear(protocol.PlayEnded, lambda event: event.command == "hello")
    await client.close()


async def test_keys_are_told_once_each_with_rising_numbers(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    for key in "14":
        for step in range(1, 6):
            caller.event(telephone_event.build(key, 160 * step), marker=step == 1)
        for _ in range(3):
            caller.event(telephone_event.build(key, 800, end=True))
        caller.timestamp += 1600
    await client.hear(protocol.Digit, lambda event: event.number == 2)
    assert [(event.number, event.digit) for event in client.heard(protocol.Digit)] == [(1, "1"), (2, "4")]
    await client.close()


async def bridge(client: Client, customer: Phone, agent: Phone, recording: str | None = None) -> None:
    await client.open("customer", customer)
    await client.open("agent", agent)
    client.send(protocol.Bridge("customer", client.number("customer"), "agent", recording))
    # The answer tells that the bridge stands.
    await client.statistics()


@pytest.mark.parametrize("codec", [PCMU, PCMA])
async def test_two_bridged_phones_hear_each_other_and_are_recorded_apart(
    worker: WorkerProcess, phone: NewPhone, codec: str
) -> None:
    client, customer, agent = await Client.attach(worker.path), phone(), phone("127.0.0.2", codec)
    await bridge(client, customer, agent, "2026/call.wav")
    await talk({customer: tone.frames(1000, 1.0), agent: tone.frames(600, 1.0, codec)})
    await eventually(lambda: len(agent.packets()) == len(customer.packets()) == 50)
    client.send(protocol.Close("customer", client.number("customer")))
    closed = await client.hear(protocol.Closed)
    assert tone.above_neighbours_db(tone.linear(agent.audio(), codec), 1000) > 30
    assert tone.above_neighbours_db(tone.linear(customer.audio()), 600) > 30
    left, right = tone.read_stereo(worker.recordings / "2026" / "call.wav")
    assert closed.recording_ms is not None
    assert abs(len(left) - closed.recording_ms * 8) <= 160
    for own, other, hertz in ((left, right, 1000), (right, left, 600)):
        voice = tone.sounding(own)
        assert voice.stop - voice.start >= 4000
        assert tone.above_neighbours_db(own[voice], hertz) >= 20
        assert tone.power_db(own[voice], hertz) - tone.power_db(other[voice], hertz) >= 40
    assert (closed.packets_received, closed.packets_lost) == (50, 0)
    await client.close()


async def test_an_injected_stream_is_neither_heard_nor_recorded_and_learns_nothing(
    worker: WorkerProcess, phone: NewPhone
) -> None:
    client, customer, agent = await Client.attach(worker.path), phone(), phone("127.0.0.2")
    stranger = phone("127.0.0.3")
    await bridge(client, customer, agent, "call.wav")
    stranger.target = customer.target
    await talk({customer: tone.frames(1000, 0.5), agent: tone.frames(600, 0.5), stranger: tone.frames(2000, 0.5)})
    await eventually(lambda: len(agent.packets()) == 25)
    await client.drops(lambda drops: drops.get("foreign_source") == 25)
    client.send(protocol.Unbridge("agent", client.number("agent")))
    client.send(protocol.Close("customer", client.number("customer")))
    assert (await client.hear(protocol.Closed)).recording_ms is not None
    heard = tone.linear(agent.audio())
    left, _ = tone.read_stereo(worker.recordings / "call.wav")
    for sound in (heard, left[tone.sounding(left)]):
        assert tone.power_db(sound, 2000) < tone.power_db(sound, 1000) - 40
    statistics = await client.statistics()
    assert stranger.packets() == []
    assert statistics.surprises == 0
    await client.close()


async def test_a_message_is_recorded_left_until_its_limit(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    client.send(protocol.Record("a", client.number("a"), "m1", "message.wav", 1500))
    await client.statistics()
    await talk({caller: tone.frames(1000, 1.7)})
    recorded = await client.hear(protocol.MessageRecorded)
    left, right = tone.read_stereo(worker.recordings / "message.wav")
    assert (recorded.command, recorded.duration_ms, len(left)) == ("m1", 1500, 12_000)
    assert tone.above_neighbours_db(left[tone.sounding(left)], 1000) > 20
    assert set(right) == {0}
    await client.close()


@pytest.mark.parametrize("path", ["../outside.wav", "/etc/outside.wav"])
async def test_nothing_is_recorded_outside_the_recordings_folder(
    worker: WorkerProcess, phone: NewPhone, path: str
) -> None:
    client = await Client.attach(worker.path)
    await bridge(client, phone(), phone(), path)
    assert (await client.hear(protocol.RecordingTrouble)).reason == "outside_folder"
    await client.close()


async def test_a_recording_that_cannot_be_written_is_told_once_and_heals(
    worker: WorkerProcess, phone: NewPhone
) -> None:
    client, customer, agent = await Client.attach(worker.path), phone(), phone()
    worker.recordings.mkdir()
    obstacle = worker.recordings / "day"
    obstacle.write_text("in the way")
    await bridge(client, customer, agent, "day/call.wav")
    await client.hear(protocol.RecordingTrouble)
    obstacle.unlink()
    await talk({customer: tone.frames(1000, 1.7), agent: tone.frames(600, 1.7)})
    await eventually(lambda: len(agent.packets()) == 85)
    client.send(protocol.Close("customer", client.number("customer")))
    closed = await client.hear(protocol.Closed)
    left, _ = tone.read_stereo(worker.recordings / "day" / "call.wav")
    assert len(agent.packets()) == 85
    assert closed.recording_ms is not None
    assert abs(len(left) - closed.recording_ms * 8) <= 160
    assert tone.above_neighbours_db(left[tone.sounding(left)][-4000:], 1000) > 20
    assert len(client.heard(protocol.RecordingTrouble)) == 1
    await client.close()


async def test_a_killed_worker_leaves_a_playable_recording(worker: WorkerProcess, phone: NewPhone) -> None:
    client, customer, agent = await Client.attach(worker.path), phone(), phone()
    await bridge(client, customer, agent, "call.wav")
    path = worker.recordings / "call.wav"
    await talk({customer: tone.frames(1000, 3.0), agent: tone.frames(600, 3.0)})
    await eventually(lambda: path.exists() and samples_in_header(path) >= 8000)
    worker.kill()
    left, right = tone.read_stereo(path)
    assert samples_in_header(path) == len(left)
    assert tone.above_neighbours_db(left[tone.sounding(left)], 1000) > 20
    assert tone.above_neighbours_db(right[tone.sounding(right)], 600) > 20
    await client.close()


async def test_a_bridge_goes_on_without_an_application_and_its_events_come_once(
    worker: WorkerProcess, phone: NewPhone
) -> None:
    client, customer, agent = await Client.attach(worker.path, 1), phone(), phone()
    await bridge(client, customer, agent, "call.wav")
    await client.close()
    await talk({customer: tone.frames(1000, 0.5), agent: tone.frames(600, 0.5)})
    customer.event(telephone_event.build("9", 160), marker=True)
    await eventually(lambda: len(agent.packets()) == 26)
    second = await Client.attach(worker.path, 2)
    (welcome,) = second.heard(protocol.Welcome)
    assert [type(event).__name__ for event in welcome.replay] == ["Opened", "Opened", "Digit"]
    states = {state.session: state for state in welcome.sessions}
    assert (states["customer"].agent, states["agent"].customer) == ("agent", "customer")
    assert states["customer"].last_command == 2
    assert states["customer"].recording == str(worker.recordings / "call.wav")
    second.send(protocol.Ack(welcome.replay[-1].n))
    await second.statistics()
    await second.close()
    third = await Client.attach(worker.path, 3)
    assert third.heard(protocol.Welcome)[0].replay == ()
    await third.close()


async def test_the_higher_epoch_takes_over_and_the_lower_is_refused(worker: WorkerProcess) -> None:
    first = await Client.attach(worker.path, 5)
    second = await Client.attach(worker.path, 6)
    await eventually(lambda: first.closed)
    late = await Client.connect(worker.path)
    late.send(protocol.Hello(protocol.PROTOCOL, 5, "old"))
    assert await late.hear(protocol.Refused) == protocol.Refused("epoch", protocol.PROTOCOL, 6)
    await eventually(lambda: late.closed)
    assert not second.closed
    for client in (first, second, late):
        await client.close()


async def test_a_repeated_command_is_acknowledged_and_not_applied(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    client.send(protocol.Open("a", 1, caller.remote()))
    client.send(protocol.Close("a", 2))
    client.send(protocol.Close("a", 2))
    client.send(protocol.Open("a", 1, caller.remote()))
    await eventually(lambda: sum(taken.count for taken in client.heard(protocol.Taken)) == 5)
    statistics = await client.statistics()
    assert len(client.heard(protocol.Opened)) == len(client.heard(protocol.Closed)) == 1
    assert (statistics.sessions, statistics.drops) == (0, {"repeated": 1, "unknown_session": 2})
    await client.close()


async def test_what_stands_already_is_not_disturbed_when_it_is_asserted_again(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path
) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    path = str(tone.write_wave(tmp_path / "1.wav", tone.samples(440, 0.3)))
    for _ in range(2):
        client.send(protocol.Play("a", client.number("a"), "p", (path,)))
    await client.hear(protocol.PlayEnded)
    client.send(protocol.Play("a", client.number("a"), "p", (path,)))
    await eventually(lambda: len(client.heard(protocol.PlayEnded)) == 2)
    await eventually(lambda: len(caller.packets()) >= 15)
    assert len(caller.packets()) == 15
    await client.close()


async def test_a_protocol_of_another_version_drains_the_worker(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    newer = await Client.connect(worker.path)
    newer.send(protocol.Hello(protocol.PROTOCOL + 1, 1, "newer"))
    assert (await newer.hear(protocol.Refused)).reason == "protocol"
    client.send(protocol.Open("b", 1))
    assert (await client.hear(protocol.Failed)).reason == "draining"
    client.send(protocol.Close("a", client.number("a")))
    closed = await client.hear(protocol.Closed)
    client.send(protocol.Ack(closed.n))
    await eventually(lambda: worker.process.poll() is not None)
    assert worker.process.returncode == 0
    for each in (client, newer):
        await each.close()


async def test_silence_is_told_once(start_worker: Callable[..., WorkerProcess], phone: NewPhone) -> None:
    worker = start_worker("w1", "--silence-s", "0.2")
    client, caller, quiet = await Client.attach(worker.path), phone(), phone()
    await client.open("a", caller)
    await client.open("b", quiet)
    caller.send(bytes(160))
    assert (await client.hear(protocol.Silent)).session == "a"
    await eventually(lambda: client.heard(protocol.Silent))
    await client.statistics()
    assert [event.session for event in client.heard(protocol.Silent)] == ["a"]
    await client.close()


async def test_a_worker_left_alone_closes_what_fell_silent(
    start_worker: Callable[..., WorkerProcess], phone: NewPhone
) -> None:
    worker = start_worker("w1", "--silence-s", "0.2")
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    caller.send(bytes(160))
    assert (await client.statistics()).sessions == 1
    await client.close()
    await asyncio.to_thread(_until_closed, caller)
    second = await Client.attach(worker.path, 2)
    assert "Closed" in [type(event).__name__ for event in second.heard(protocol.Welcome)[0].replay]
    await second.close()


def _until_closed(caller: Phone) -> None:
    """Ask the port itself: a connected probe is refused once the worker has closed it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(caller.target)
        probe.settimeout(0.05)
        for _ in range(1200):
            try:
                probe.send(b"?")
                probe.recv(1)
            except ConnectionRefusedError:
                return
            except TimeoutError:
                continue
    raise AssertionError("the session was not closed")


async def test_reports_reach_the_phones_control_port(worker: WorkerProcess) -> None:
    client, (caller, control) = await Client.attach(worker.path), phone_with_control()
    await client.open("a", caller)
    client.send(protocol.Echo("a", client.number("a")))
    await client.statistics()
    await talk({caller: tone.frames(500, 0.2)})
    data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(control, 2048), DEADLINE_S)
    (report,) = rtcp.parse(data).reports
    assert report.sender is not None
    assert report.sender.octets == report.sender.packets * 160 > 0
    assert report.blocks[0].ssrc == caller.ssrc
    control.close()
    caller.close()
    await client.close()


def phone_with_control() -> tuple[Phone, socket.socket]:
    """A phone and the socket on the port above its own."""
    while True:
        caller = Phone()
        control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        control.setblocking(False)
        try:
            control.bind(("127.0.0.1", caller.port + 1))
        except OSError:
            control.close()
            caller.close()
            continue
        return caller, control


async def test_nonsense_on_the_media_ports_is_dropped_by_name_and_never_a_surprise(worker: WorkerProcess) -> None:
    client, (caller, control) = await Client.attach(worker.path), phone_with_control()
    port = await client.open("a", caller)
    chance = random.Random(11)
    report = rtcp.build(caller.ssrc, rtcp.SenderInfo(1, 2, 3, 4), ReportBlock(1, 2, 3, 4, 5, 6, 7), b"x")
    for number in range(400):
        sound = bytearray(build(chance.choice((0, 8, 101)), number, 160 * number, caller.ssrc, bytes(160)))
        other = bytearray(report)
        for data in (sound, other):
            for _ in range(chance.randrange(5)):
                data[chance.randrange(24)] = chance.randrange(256)
        caller.raw(bytes(sound[: chance.randrange(173)]))
        control.sendto(bytes(other[: chance.randrange(len(other) + 1)]), ("127.0.0.1", port + 1))
        await asyncio.sleep(0)
    statistics = await client.drops({"rtp_version", "rtcp_length", "payload_type"}.issubset)
    control.close()
    caller.close()
    assert statistics.surprises == 0
    await client.close()


async def test_a_draining_worker_still_takes_who_joins_one_of_its_sessions(
    worker: WorkerProcess, phone: NewPhone
) -> None:
    client = await Client.attach(worker.path)
    await client.open("a", phone())
    client.send(protocol.Drain())
    client.send(protocol.Open("b", 1, None, "a"))
    client.send(protocol.Open("c", 1, None, "gone"))
    assert (await client.hear(protocol.Failed)).session == "c"
    assert [event.session for event in client.heard(protocol.Opened)] == ["a", "b"]
    await client.close()


async def test_a_port_that_is_ready_is_open_without_a_word_and_has_forgotten_what_strangers_sent(
    worker: WorkerProcess, phone: NewPhone
) -> None:
    client, caller, stranger = await Client.attach(worker.path), phone(), phone()
    (welcome,) = client.heard(protocol.Welcome)
    assert (welcome.address, len(welcome.ready), [port % 2 for port in welcome.ready]) == ("127.0.0.1", 6, [0] * 6)
    free = (await client.statistics()).ports_free
    for port in welcome.ready[:2]:
        stranger.target = ("127.0.0.1", port)
        for _ in range(3):
            stranger.event(telephone_event.build("9", 160), marker=True)
    # His packets have arrived: on the loopback that is so when `sendto` returns.
    client.send(protocol.Open("a", 1, caller.remote(address="127.0.0.1", port=stranger.port), None, welcome.ready[0]))
    client.send(protocol.Open("b", 1, caller.remote(), None, welcome.ready[1]))
    caller.target = ("127.0.0.1", welcome.ready[1])
    assert (await client.statistics()).ports_free == free - 2
    caller.event(telephone_event.build("5", 160), marker=True)
    await client.hear(protocol.Digit)
    assert [(event.session, event.digit) for event in client.heard(protocol.Digit)] == [("b", "5")]
    assert client.heard(protocol.Opened) == []
    assert not (await client.statistics()).drops
    # Others take their place; one that is given back rests as any other.
    taken = await client.hear(protocol.Taken, lambda taken: bool(taken.ready))
    assert len(taken.ready) == 2
    assert not {*taken.ready} & {*welcome.ready}
    client.send(protocol.Open("c", 1, None, None, welcome.ready[0]))
    assert await client.hear(protocol.Failed, lambda failed: failed.session == "c")
    await client.close()


async def test_a_new_application_is_told_which_ports_are_ready(worker: WorkerProcess) -> None:
    first = await Client.attach(worker.path, 1)
    before = first.heard(protocol.Welcome)[0].ready
    first.send(protocol.Open("a", 1, None, None, before[0]))
    await first.statistics()
    second = await Client.attach(worker.path, 2)
    (welcome,) = second.heard(protocol.Welcome)
    assert [state.port for state in welcome.sessions] == [before[0]]
    assert before[0] not in welcome.ready
    assert {*before[1:]} <= {*welcome.ready}
    assert len(welcome.ready) == len(before)
    # Word of the first one's command was due before word of this: what was to go with it is not lost.
    second.send(protocol.Open("b", 1, None, "a", welcome.ready[0]))
    assert len((await second.hear(protocol.Taken)).ready) == 1
    await first.close()
    await second.close()


async def test_a_worker_that_nobody_wants_any_more_ends(
    start_worker: Callable[..., WorkerProcess], phone: NewPhone
) -> None:
    # Twice as long it waits for the first who comes, too.
    worker = start_worker("w1", "--alone-s", "2")
    client = await Client.attach(worker.path)
    await client.open("a", phone())
    await client.close()
    assert await asyncio.to_thread(worker.process.wait, DEADLINE_S) == 0
    assert not worker.path.exists()


async def test_nonsense_on_the_control_socket_ends_that_connection_only(worker: WorkerProcess) -> None:
    good = await Client.attach(worker.path)
    for nonsense in (b"\xff\xff\xff\xff", struct.pack("!I", 3) + b"abc", protocol.encode(protocol.Close("a", 1))):
        reader, writer = await asyncio.open_unix_connection(worker.path)
        writer.write(nonsense)
        assert await reader.read() == b""
        writer.close()
    statistics = await good.statistics()
    assert statistics.drops == {"control_frame_long": 1, "control_message": 1, "not_attached": 1}
    assert statistics.surprises == 0
    await good.close()


async def test_sigterm_finishes_recordings_and_removes_the_socket(worker: WorkerProcess, phone: NewPhone) -> None:
    client = await Client.attach(worker.path)
    await bridge(client, phone(), phone(), "call.wav")
    await client.statistics()
    assert await asyncio.to_thread(worker.stop) == 0
    assert samples_in_header(worker.recordings / "call.wav") >= 0
    assert not worker.path.exists()
    await client.close()


async def test_a_dead_workers_socket_is_taken_over_and_a_living_ones_is_not(
    start_worker: Callable[..., WorkerProcess], tmp_path: Path
) -> None:
    dead = start_worker()
    await (await Client.attach(dead.path)).close()
    dead.kill()
    living = start_worker()
    client = await Client.attach(living.path)
    rival = start_worker()
    assert await asyncio.to_thread(rival.process.wait, DEADLINE_S) == 2
    assert not client.closed
    await client.close()


async def test_the_worker_imports_no_room_and_nothing_heavy() -> None:
    look = "import sys, callcenter.media.__main__; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", look, stdout=asyncio.subprocess.PIPE)
    modules = (await process.communicate())[0].decode().split()
    ours = {name for name in modules if name.startswith("callcenter.")}
    assert {name.split(".")[1] for name in ours} == {"kernel", "media"}
    assert not {"callcenter.media.adapter", "sqlalchemy", "fastapi", "redis", "numpy"} & set(modules)


@pytest.mark.parametrize("fault", ["long", "open"])
async def test_a_socket_that_cannot_be_is_refused_at_start(tmp_path: Path, fault: str) -> None:
    folder = tmp_path / ("x" * 90 if fault == "long" else "")
    if fault == "open":
        (folder / "run").mkdir(mode=0o755)
        os.chmod(folder / "run", 0o755)  # noqa: PTH101  # the bare call, as anyone could make it
    worker = WorkerProcess(folder)
    assert await asyncio.to_thread(worker.process.wait, DEADLINE_S) == 2
