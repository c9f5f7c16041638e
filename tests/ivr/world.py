"""A flow world for tests: one flow document, one caller, a clock that only the test moves."""

from collections.abc import Mapping, Sequence
from typing import Self

from callcenter.calendars import Calendar, read_calendar
from callcenter.kernel.clock import FakeClock
from ivr.commands import Command, DigitsCollected, Effect, FlowEnded, FlowStarted, NodeEntered, NodeLeft, Play
from ivr.errors import Problem
from ivr.events import DigitPressed, Input, MediaUp, PromptsPlayed, Started, Tick
from ivr.machines.flow_run import FlowRun
from ivr.machines.stage import Stage
from ivr.model import Flow
from ivr.reading import read_flow

OFFICE = {"zone": "UTC", "weekly": {"mon-fri": ["09:00-18:00"]}}


def any_prompt(language: str, prompt: str) -> str | None:
    """Every prompt exists but "gone"."""
    return None if prompt == "gone" else f"/{language}/{prompt}.wav"


def flow_of(nodes: Mapping[str, object], **keys: object) -> Flow:
    """A flow that starts at its first node; `on_error` is the node "failed", added as a hangup."""
    document: dict[str, object] = {
        "name": "test",
        "language": "en",
        "start": next(iter(nodes)),
        "on_error": "failed",
        "nodes": {**nodes, "failed": {"kind": "hangup", "reason": "error", "status": 500}},
        **keys,
    }
    problems: list[Problem] = []
    flow = read_flow("test.yaml", document, problems)
    assert problems == []
    assert flow is not None
    return flow


class FlowWorld:
    """Drives one run; `effects` are those of the last input, `log` the traces of all."""

    def __init__(self, flow: Flow, *, caller: str = "+39061234567", called: str = "800") -> None:
        self.clock = FakeClock()
        self.calendars: dict[str, Calendar] = {"office": read_calendar("office", OFFICE)}
        self.stage = Stage(flow, any_prompt, self.calendars)
        self.run = FlowRun("c1", flow.name, flow.version, caller, called)
        self.effects: list[Effect] = []
        self.log: list[str] = []
        self._digits = 0

    def takes(self, event: Input) -> Self:
        self.run, self.effects = self.run.handle(event, now=self.clock.now(), stage=self.stage)
        self.log += [line for effect in self.effects if (line := _line(effect))]
        return self

    def starts(self) -> Self:
        """The call arrives, and is answered as soon as the flow asks for it."""
        self.takes(Started())
        return self.takes(MediaUp()) if self.run.waiting == "media" else self

    def presses(self, keys: str) -> Self:
        for key in keys:
            self._digits += 1
            self.takes(DigitPressed(self._digits, key))
        return self

    def hears_all(self) -> Self:
        """The prompt that plays comes to its end."""
        return self.takes(PromptsPlayed(self.run.command))

    def waits(self, seconds: float) -> Self:
        self.clock.advance(seconds)
        return self.takes(Tick())

    @property
    def commands(self) -> list[Command]:
        return [effect for effect in self.effects if isinstance(effect, Command)]

    @property
    def command(self) -> Command:
        (only,) = self.commands
        return only

    @property
    def played(self) -> Sequence[str]:
        """Prompts of the last input's Play, without folder and ending."""
        plays = [effect for effect in self.effects if isinstance(effect, Play)]
        return [file.removesuffix(".wav") for play in plays for file in play.files]


def _line(effect: Effect) -> str:
    """One trace as a line of a golden log."""
    match effect:
        case FlowStarted():
            return "start"
        case NodeEntered():
            return f"> {effect.node} ({effect.kind})"
        case NodeLeft():
            return f"< {effect.node}: {effect.branch}{f' ({effect.reason})' if effect.reason else ''}"
        case DigitsCollected():
            return f"  {effect.node} collected {effect.count}: {'masked' if effect.value is None else effect.value}"
        case FlowEnded():
            return f"end: {effect.reason}"
        case _:
            return ""
