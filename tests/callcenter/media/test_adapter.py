"""The port `Media`: what its adapter and its fake both promise, and what only processes can show."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from callcenter.calls import events as ev
from callcenter.calls.ports import Codec, Media, MediaDescription
from callcenter.kernel.unit import Unit
from callcenter.media import link, protocol
from callcenter.media.adapter import MediaWorkers
from callcenter.media.telephone_event import build
from tests.support import tone
from tests.support.media import FakeMedia
from tests.support.media_worker import DEADLINE_S, Client, Phone, WorkerProcess, eventually

pytestmark = pytest.mark.integration
I = TypeVar("I")  # noqa: E741  # an input
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OVER = (ev.SessionLost, ev.SessionClosed)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine has a worker answer later than an application waits for it.
    monkeypatch.setattr(link, "WELCOME_S", DEADLINE_S)


class Application:
    """The composition around a `Media`: a journal that commits when asked, and what was delivered."""

    def __init__(self) -> None:
        self.inputs: list[ev.MediaInput] = []
        self.held: list[Unit] | None = None
        self.media: Media = FakeMedia(self.unit, self.deliver, self.commit)

    def unit(self) -> Unit:
        return Unit(NOW)

    def deliver(self, unit: Unit, input_: ev.MediaInput) -> None:
        self.inputs.append(input_)

    def commit(self, unit: Unit) -> None:
        if self.held is not None:
            self.held.append(unit)
            return
        for action in unit.actions:
            action()

    def do(self, order: Callable[[Unit], None]) -> None:
        """Give an order in a unit of its own."""
        unit = self.unit()
        order(unit)
        self.commit(unit)

    async def told(self, kind: type[I], session: str | None = None) -> I:
        """Wait for an input."""

        def found() -> list[I]:
            fitting = [each for each in self.inputs if isinstance(each, kind)]
            return [each for each in fitting if session is None or getattr(each, "session", None) == session]

        await eventually(found)
        return found()[0]

    def count(self, kind: type[object]) -> int:
        return sum(isinstance(each, kind) for each in self.inputs)


def adapter(application: Application, run: Path, epoch: int = 1) -> MediaWorkers:
    media = MediaWorkers(
        run,
        epoch=epoch,
        release="test",
        open_unit=application.unit,
        deliver=application.deliver,
        submit=application.commit,
    )
    application.media = media
    return media


def described(phone: Phone) -> MediaDescription:
    address, port = phone.socket.getsockname()
    return MediaDescription(address, port, ((0, Codec.PCMU),), 101)


async def started(worker: WorkerProcess) -> None:
    """Wait until the worker listens."""
    await (await Client.connect(worker.path)).close()


@pytest.fixture(params=["fake", "workers"])
async def application(request: pytest.FixtureRequest) -> AsyncIterator[Application]:
    made = Application()
    if request.param == "fake":
        yield made
        return
    worker: WorkerProcess = request.getfixturevalue("worker")
    await started(worker)
    media = adapter(made, worker.path.parent)
    await media.start()
    yield made
    await media.leave()
    assert media.surprises == 0


@pytest.fixture
def caller(phone: Callable[..., Phone]) -> Phone:
    return phone()


# -- the contract ---------------------------------------------------------------------------------------------------


async def test_a_session_opens_with_an_even_port_and_closes_with_statistics(
    application: Application, caller: Phone
) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=described(caller)))
    opened = await application.told(ev.SessionOpened)
    assert (opened.session, opened.worker, opened.address, opened.port % 2) == ("a", "w1", "127.0.0.1", 0)
    application.do(lambda unit: application.media.close(unit, "a"))
    closed = await application.told(ev.SessionClosed)
    assert (closed.session, closed.recording_ms, closed.stats.packets_received) == ("a", None, 0)


async def test_nothing_happens_before_the_commit(application: Application, caller: Phone) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=described(caller)))
    unit = application.unit()
    application.media.close(unit, "a")
    application.do(lambda other: application.media.open(other, "b", remote=described(caller)))
    await application.told(ev.SessionOpened, "b")
    assert application.count(ev.SessionClosed) == 0
    application.commit(unit)
    await application.told(ev.SessionClosed, "a")


async def test_a_session_opens_before_the_commit(application: Application, caller: Phone) -> None:
    unit = application.unit()
    application.media.open(unit, "a", remote=described(caller))
    await application.told(ev.SessionOpened, "a")


async def test_commands_to_a_session_that_is_gone_do_nothing(application: Application, caller: Phone) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=None))
    application.do(lambda unit: application.media.connect(unit, "a", described(caller)))
    application.do(lambda unit: application.media.close(unit, "a"))
    await application.told(ev.SessionClosed)
    application.do(lambda unit: application.media.play(unit, "a", "p", []))
    application.do(lambda unit: application.media.stop(unit, "a"))
    application.do(lambda unit: application.media.echo(unit, "a"))
    application.do(lambda unit: application.media.unbridge(unit, "a"))
    application.do(lambda unit: application.media.close(unit, "a"))
    application.do(lambda unit: application.media.open(unit, "b", remote=None))
    await application.told(ev.SessionOpened, "b")
    assert len(application.inputs) == 3


async def test_a_message_that_is_stopped_is_recorded(application: Application, caller: Phone) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=described(caller)))
    application.do(lambda unit: application.media.record(unit, "a", "m", "message.wav", max_s=60))
    application.do(lambda unit: application.media.stop(unit, "a"))
    recorded = await application.told(ev.Recorded)
    assert (recorded.session, recorded.command) == ("a", "m")


async def test_the_session_that_ends_a_recorded_bridge_tells_its_length(
    application: Application, caller: Phone
) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=described(caller)))
    application.do(lambda unit: application.media.open(unit, "b", remote=described(caller), near="a"))
    application.do(lambda unit: application.media.bridge(unit, "a", "b", recording="call.wav"))
    application.do(lambda unit: application.media.close(unit, "b"))
    application.do(lambda unit: application.media.close(unit, "a"))
    assert (await application.told(ev.SessionClosed, "b")).recording_ms is not None
    assert (await application.told(ev.SessionClosed, "a")).recording_ms is None


async def test_a_bridge_with_a_session_that_is_not_there_fails(application: Application, caller: Phone) -> None:
    application.do(lambda unit: application.media.open(unit, "a", remote=described(caller)))
    application.do(lambda unit: application.media.bridge(unit, "a", "nobody", recording=None))
    assert await application.told(ev.SessionFailed) == ev.SessionFailed("a", "bridge_unknown")


# -- processes ------------------------------------------------------------------------------------------------------


async def test_without_a_worker_no_session_opens(tmp_path: Path) -> None:
    application = Application()
    media = adapter(application, tmp_path)
    await media.start()
    application.do(lambda unit: media.open(unit, "a", remote=None))
    assert await application.told(ev.SessionFailed) == ev.SessionFailed("a", "no_worker")
    await media.leave()


async def test_prompts_and_keys_reach_the_room(worker: WorkerProcess, caller: Phone, tmp_path: Path) -> None:
    application = Application()
    await started(worker)
    media = adapter(application, worker.path.parent)
    await media.start()
    application.do(lambda unit: media.open(unit, "a", remote=described(caller)))
    opened = await application.told(ev.SessionOpened)
    prompt = tone.write_wave(tmp_path / "p.wav", tone.samples(440, 0.1))
    application.do(lambda unit: media.play(unit, "a", "p", [str(prompt)]))
    assert await application.told(ev.Played) == ev.Played("a", "p")
    caller.target = (opened.address, opened.port)
    caller.event(build("3", 160), marker=True)
    assert await application.told(ev.DigitPressed) == ev.DigitPressed("a", 1, "3")
    await media.leave()


async def test_sessions_spread_over_the_workers_and_stay_together_when_asked(
    start_worker: Callable[..., WorkerProcess],
) -> None:
    application = Application()
    workers = [start_worker("w1"), start_worker("w2")]
    for worker in workers:
        await started(worker)
    media = adapter(application, workers[0].path.parent)
    await media.start()
    for session, near in (("a", None), ("b", None), ("c", "a"), ("d", "a")):
        application.do(partial(media.open, session=session, remote=None, near=near))
        await application.told(ev.SessionOpened, session)
    where = {each.session: each.worker for each in application.inputs if isinstance(each, ev.SessionOpened)}
    assert where["a"] != where["b"]
    assert where["a"] == where["c"] == where["d"]
    application.do(lambda unit: media.bridge(unit, "a", "b", recording=None))
    assert await application.told(ev.SessionFailed) == ev.SessionFailed("a", "bridge_apart")
    await media.leave()


async def test_a_session_beside_another_is_open_in_the_same_turn(worker: WorkerProcess, caller: Phone) -> None:
    application = Application()
    await started(worker)
    media = adapter(application, worker.path.parent)
    await media.start()
    application.do(lambda unit: media.open(unit, "a", remote=described(caller)))
    await application.told(ev.SessionOpened, "a")
    # Nothing that the worker says can be what tells it.
    worker.process.send_signal(signal.SIGSTOP)
    for session in ("b", "c", "d"):
        application.do(partial(media.open, session=session, remote=None, near="a"))
    application.do(lambda unit: media.close(unit, "d"))
    await asyncio.sleep(0)
    found = [each for each in application.inputs if isinstance(each, ev.SessionOpened)]
    assert [(each.session, each.worker, each.address) for each in found] == [
        (session, "w1", "127.0.0.1") for session in "abcd"
    ]
    assert len({each.port for each in found}) == 4
    worker.process.send_signal(signal.SIGCONT)
    await application.told(ev.SessionClosed, "d")
    application.do(lambda unit: media.close(unit, "b"))
    await application.told(ev.SessionClosed, "b")
    assert application.count(ev.SessionOpened) == 4
    assert application.count(ev.SessionFailed) == 0
    await media.leave()


async def test_more_sessions_beside_others_than_ports_are_ready(worker: WorkerProcess) -> None:
    application = Application()
    await started(worker)
    media = adapter(application, worker.path.parent)
    await media.start()
    names = [f"s{number}" for number in range(30)]
    application.do(lambda unit: media.open(unit, "a", remote=None))
    await application.told(ev.SessionOpened, "a")
    for name in names:
        application.do(partial(media.open, session=name, remote=None, near="a"))
    for name in names:
        await application.told(ev.SessionOpened, name)
    opened = {each.session: each.port for each in application.inputs if isinstance(each, ev.SessionOpened)}
    assert len({*opened.values()}) == len(opened) == 31
    for name in names:
        application.do(partial(media.close, session=name))
    for name in names:
        await application.told(ev.SessionClosed, name)
    assert application.count(ev.SessionFailed) == 0
    await media.leave()


async def test_a_port_in_a_command_that_the_worker_has_not_seen_is_given_to_nobody_else(
    worker: WorkerProcess,
) -> None:
    application = Application()
    await started(worker)
    media = adapter(application, worker.path.parent, epoch=1)
    await media.start()
    application.do(lambda unit: media.open(unit, "a", remote=None))
    await application.told(ev.SessionOpened, "a")
    # Its connection breaks while it does not read: whether it has seen the first order is open.
    worker.process.send_signal(signal.SIGSTOP)
    application.do(lambda unit: media.open(unit, "b", remote=None, near="a"))
    rival = await Client.connect(worker.path)
    rival.send(protocol.Hello(protocol.PROTOCOL, 1, "rival"))
    worker.process.send_signal(signal.SIGCONT)
    await eventually(lambda: rival.closed)
    for session in ("c", "d", "e", "f", "g", "h"):
        application.do(partial(media.open, session=session, remote=None, near="a"))
        await application.told(ev.SessionOpened, session)
    for session in ("b", "c", "d", "e", "f", "g", "h"):
        application.do(partial(media.close, session=session))
        await application.told(ev.SessionClosed, session)
    opened = [each.port for each in application.inputs if isinstance(each, ev.SessionOpened)]
    assert len({*opened[:8]}) == 8
    assert (application.count(ev.SessionFailed), application.count(ev.SessionLost)) == (0, 0)
    await rival.close()
    await media.leave()


async def test_a_dead_worker_loses_its_sessions_and_a_new_one_takes_the_next(
    start_worker: Callable[..., WorkerProcess],
) -> None:
    application = Application()
    first = start_worker("w1")
    await started(first)
    media = adapter(application, first.path.parent)
    await media.start()
    for session in ("a", "b"):
        application.do(partial(media.open, session=session, remote=None))
        await application.told(ev.SessionOpened, session)
    first.kill()
    await application.told(ev.SessionLost, "b")
    assert [each for each in application.inputs if isinstance(each, ev.SessionLost)] == [
        ev.SessionLost("a", "w1"),
        ev.SessionLost("b", "w1"),
    ]
    second = start_worker("w2")
    await started(second)
    await eventually(lambda: [each.name for each in media.workers()] == ["w2"])
    application.do(lambda unit: media.open(unit, "c", remote=None))
    assert (await application.told(ev.SessionOpened, "c")).worker == "w2"
    await media.leave()


async def test_a_session_that_a_dead_worker_had_not_opened_yet_is_opened_by_another(
    start_worker: Callable[..., WorkerProcess], caller: Phone
) -> None:
    application = Application()
    workers = {name: start_worker(name) for name in ("w1", "w2")}
    for worker in workers.values():
        await started(worker)
    media = adapter(application, workers["w1"].path.parent)
    await media.start()
    application.do(lambda unit: media.open(unit, "up", remote=None))
    victim = workers.pop((await application.told(ev.SessionOpened, "up")).worker)
    (survivor,) = workers
    victim.process.send_signal(signal.SIGSTOP)
    # They go to the worker with fewer sessions: the second pair and one of the three to the one that does not answer.
    for session, near in (("p1", None), ("q1", "p1"), ("p2", None), ("q2", "p2")):
        application.do(partial(media.open, session=session, remote=described(caller), near=near))
    for session in ("one", "two", "three", "left"):
        application.do(partial(media.open, session=session, remote=described(caller)))
    application.do(partial(media.open, session="beside", remote=None, near="up"))
    application.do(lambda unit: media.close(unit, "left"))
    victim.kill()
    await application.told(ev.SessionLost, "beside")
    for session in ("p1", "q1", "one", "two", "three"):
        assert (await application.told(ev.SessionOpened, session)).worker == survivor
    over = [(each.session, type(each)) for each in application.inputs if isinstance(each, OVER)]
    assert {(session, ev.SessionLost) for session in ("up", "beside", "p2", "q2")} <= set(over)
    await eventually(lambda: any(isinstance(each, OVER) and each.session == "left" for each in application.inputs))
    assert media.surprises == 0
    await media.leave()


async def test_a_new_application_finds_the_sessions_and_goes_on_with_their_commands(
    worker: WorkerProcess, caller: Phone, tmp_path: Path
) -> None:
    old, new = Application(), Application()
    await started(worker)
    before = adapter(old, worker.path.parent, epoch=1)
    await before.start()
    music = tone.write_wave(tmp_path / "m.wav", tone.samples(440, 0.1))
    old.do(lambda unit: before.open(unit, "a", remote=described(caller)))
    opened = await old.told(ev.SessionOpened)
    old.do(lambda unit: before.play(unit, "a", "music", [str(music)], loop=True))
    await eventually(caller.packets)
    await before.leave()
    after = adapter(new, worker.path.parent, epoch=2)
    await after.start()
    (found,) = after.sessions()
    assert (found.session, found.worker, found.port, found.playing) == ("a", "w1", opened.port, "music")
    assert found.looping
    new.do(lambda unit: after.close(unit, "a"))
    await new.told(ev.SessionClosed)
    assert after.sessions() == ()
    await after.leave()


async def test_an_event_comes_again_until_its_unit_is_committed_and_then_no_more(
    worker: WorkerProcess,
) -> None:
    crashing, second, third = Application(), Application(), Application()
    await started(worker)
    media = adapter(crashing, worker.path.parent, epoch=1)
    await media.start()
    order = crashing.unit()
    media.open(order, "a", remote=None)
    for action in order.actions:
        action()
    crashing.held = []
    await crashing.told(ev.SessionOpened)
    await media.leave()
    for epoch, application in ((2, second), (3, third)):
        media = adapter(application, worker.path.parent, epoch)
        await media.start()
        # The answer tells that the acknowledgement before it has been read.
        assert len(await media.statistics()) == 1
        await media.leave()
    assert (second.count(ev.SessionOpened), third.count(ev.SessionOpened)) == (1, 0)


async def test_a_lost_connection_to_a_living_worker_loses_no_session(worker: WorkerProcess) -> None:
    application = Application()
    await started(worker)
    media = adapter(application, worker.path.parent, epoch=1)
    await media.start()
    application.do(lambda unit: media.open(unit, "a", remote=None))
    await application.told(ev.SessionOpened)
    rival = await Client.attach(worker.path, 1)
    await eventually(lambda: rival.closed)
    application.do(lambda unit: media.close(unit, "a"))
    await application.told(ev.SessionClosed)
    assert application.count(ev.SessionLost) == 0
    assert application.count(ev.SessionOpened) == 1
    await rival.close()
    await media.leave()


async def test_an_application_with_a_lower_epoch_is_told_that_it_is_over(worker: WorkerProcess) -> None:
    application, fenced = Application(), asyncio.Event()
    await started(worker)
    media = MediaWorkers(
        worker.path.parent, epoch=1, release="old", open_unit=application.unit, deliver=application.deliver,
        submit=application.commit, fenced=fenced.set,
    )  # fmt: skip
    await media.start()
    newer = await Client.attach(worker.path, 2)
    await asyncio.wait_for(fenced.wait(), DEADLINE_S)
    assert application.inputs == []
    newer.send(protocol.AskStatistics())
    await newer.hear(protocol.Statistics)
    await media.leave()
    await newer.close()
