"""Hold on a real worker: the bridge stays, neither hears the other, the recording goes on in silence."""

from pathlib import Path

import pytest

from callcenter.media import protocol
from tests.callcenter.media.test_worker import NewPhone, bridge
from tests.support import tone
from tests.support.media_worker import Client, WorkerProcess, eventually, talk

pytestmark = pytest.mark.integration


async def test_a_held_caller_hears_music_and_neither_side_hears_the_other(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path
) -> None:
    music = tone.write_wave(tmp_path / "music.wav", tone.samples(440, 2.0))
    client, customer, agent = await Client.attach(worker.path), phone(), phone("127.0.0.2")
    await bridge(client, customer, agent, "call.wav")
    await talk({customer: tone.frames(1000, 0.5), agent: tone.frames(600, 0.5)})
    await eventually(lambda: len(agent.packets()) == 25)
    client.send(protocol.Hold("customer", client.number("customer"), "hold", (str(music),)))
    await eventually(lambda: tone.power_db(tone.linear(customer.audio()), 440) > -40)
    heard_before = len(agent.packets())
    await talk({customer: tone.frames(1000, 0.5), agent: tone.frames(600, 0.5)})
    assert len(agent.packets()) == heard_before
    client.send(protocol.Bridge("customer", client.number("customer"), "agent", "call.wav"))
    await client.statistics()
    await talk({customer: tone.frames(1000, 0.5), agent: tone.frames(600, 0.5)})
    await eventually(lambda: len(agent.packets()) >= heard_before + 20)
    client.send(protocol.Close("customer", client.number("customer")))
    closed = await client.hear(protocol.Closed)
    left, right = tone.read_stereo(worker.recordings / "call.wav")
    assert closed.recording_ms is not None
    assert closed.recording_ms >= 1400
    for side, hertz in ((left, 1000), (right, 600)):
        held = tone.longest_silence(side)
        assert held.stop - held.start >= 3600
        for talk_ in (side[: held.start], side[held.stop :]):
            assert tone.power_db(talk_[tone.sounding(talk_)], hertz) > -25
    await client.close()


async def test_an_agent_whose_caller_holds_hears_music(
    worker: WorkerProcess, phone: NewPhone, tmp_path: Path
) -> None:
    music = tone.write_wave(tmp_path / "music.wav", tone.samples(440, 2.0))
    client, customer, agent = await Client.attach(worker.path), phone(), phone("127.0.0.2")
    await bridge(client, customer, agent, "held.wav")
    await talk({customer: tone.frames(1000, 0.2), agent: tone.frames(600, 0.2)})
    client.send(protocol.Hold("agent", client.number("agent"), "hold", (str(music),)))
    await eventually(lambda: tone.power_db(tone.linear(agent.audio()), 440) > -40)
    client.send(protocol.Bridge("customer", client.number("customer"), "agent", "held.wav"))
    await client.statistics()
    heard_before = len(customer.packets())
    await talk({customer: tone.frames(1000, 0.4), agent: tone.frames(600, 0.4)})
    await eventually(lambda: len(customer.packets()) >= heard_before + 15)
    await client.close()


async def test_a_hold_without_a_bridge_is_passed_over(worker: WorkerProcess, phone: NewPhone) -> None:
    client, caller = await Client.attach(worker.path), phone()
    await client.open("a", caller)
    client.send(protocol.Hold("a", client.number("a"), "hold", ("/nowhere.wav",)))
    assert (await client.statistics()).surprises == 0
    await client.close()
