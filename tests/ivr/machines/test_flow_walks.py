"""Random walks through a flow of every node kind: what must hold after every single input."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import get_args
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.kernel.codec import decode, encode
from callcenter.kernel.errors import IllegalTransition
from ivr.commands import (
    Answer,
    Dial,
    DigitsCollected,
    EnterQueue,
    FlowEnded,
    Hangup,
    LeaveQueue,
    NodeEntered,
    NodeLeft,
)
from ivr.events import (
    CallbackTaken,
    CallerGone,
    CommandFailed,
    CustomerFound,
    DialEnded,
    DialOutcome,
    DigitPressed,
    Input,
    MediaUp,
    PromptsPlayed,
    QueueLeft,
    QueueOutcome,
    RecordingDone,
    Resumed,
    Started,
    Tick,
)
from ivr.machines.flow_run import FlowRun
from tests.ivr.world import FlowWorld, flow_of

TOUR = flow_of(
    {
        "hours": {"kind": "hours", "calendar": "office", "open": "branch", "closed": "set"},
        "branch": {"kind": "branch", "cases": [{"if": 'customer.tier == "gold"', "next": "queue"}], "else": "set"},
        "set": {"kind": "set", "values": {"n": "${length(caller) + 1}"}, "next": "dial"},
        "dial": {
            "kind": "dial",
            "target": "${called}",
            "announcement": ["hi"],
            "next": "hello",
            "on_busy": "hello",
            "on_no_answer": "queue",
            "on_declined": "queue",
            "on_unreachable": "record",
        },
        "hello": {"kind": "play", "prompts": ["hi", {"say_number": "${vars.n}"}], "barge_in": True, "next": "menu"},
        "menu": {
            "kind": "menu",
            "prompts": ["choose"],
            "digits": {"1": "hours", "2": "gather", "3": "echo", "4": "record", "5": "queue", "6": "secret"},
            "tries": 2,
            "on_timeout": "hello",
            "on_invalid": "gather",
        },
        "gather": {
            "kind": "gather",
            "prompts": ["enter"],
            "into": "account",
            "min": 2,
            "max": 3,
            "tries": 2,
            "next": "read",
            "on_timeout": "menu",
            "on_invalid": "menu",
        },
        "read": {"kind": "play", "prompts": [{"say_digits": "${vars.account}"}], "next": "menu"},
        "secret": {
            "kind": "gather",
            "prompts": ["enter"],
            "into": "pin",
            "masked": True,
            "barge_in": False,
            "max": 4,
            "min": 4,
            "next": "use",
            "on_timeout": "menu",
            "on_invalid": "menu",
        },
        "use": {"kind": "play", "prompts": [{"say_digits": "${vars.pin}"}], "next": "menu"},
        "echo": {"kind": "echo", "seconds": 9, "exit": "#", "next": "menu"},
        "record": {"kind": "record", "prompts": ["speak"], "max_s": 20, "next": "queue"},
        "queue": {
            "kind": "queue",
            "queue": "billing",
            "next": "menu",
            "on_timeout": "menu",
            "on_full": "end",
            "exits": {"0": "hello", "9": "callback"},
        },
        "callback": {"kind": "callback", "next": "hello", "on_refused": "menu"},
        "end": {"kind": "hangup"},
        "sorry": {"kind": "play", "prompts": ["sorry"], "next": "menu", "on_error": "failed"},
    },
    on_error="sorry",
)

TAKEN: Counter[str] = Counter()
WALKS: Counter[str] = Counter()

EXPECTED = {
    f"{before} -> {after} on {event}"
    for before, event, afters in [
        ("new", "Started", ["dial", "media"]),
        ("media", "MediaUp", ["prompt", "queue"]),
        ("prompt", "PromptsPlayed", ["prompt", "digit", "recording"]),
        ("prompt", "DigitPressed", ["prompt", "digit", "queue", "dial", "time"]),
        ("digit", "DigitPressed", ["prompt", "digit", "queue", "dial", "time"]),
        ("digit", "Tick", ["prompt"]),
        ("dial", "DialEnded", ["prompt", "media", "queue"]),
        ("queue", "QueueLeft", ["prompt", "ended"]),
        ("queue", "DigitPressed", ["queue", "prompt", "callback"]),
        ("callback", "CallbackTaken", ["prompt"]),
        ("recording", "DigitPressed", ["recording"]),
        ("recording", "RecordingDone", ["queue"]),
        ("time", "Tick", ["prompt"]),
        ("time", "DigitPressed", ["prompt"]),
        ("prompt", "CommandFailed", ["prompt"]),
        ("prompt", "Resumed", ["prompt"]),
        ("digit", "Resumed", ["prompt"]),
        ("dial", "Resumed", ["dial", "media"]),
        ("queue", "Resumed", ["queue", "prompt"]),
        ("recording", "Resumed", ["recording", "prompt"]),
        ("time", "Resumed", ["time"]),
        ("media", "Resumed", ["media"]),
        ("prompt", "CallerGone", ["ended"]),
        ("digit", "CallerGone", ["ended"]),
        ("dial", "CallerGone", ["ended"]),
        ("queue", "CallerGone", ["ended"]),
    ]
    for after in afters
}


class Walk(FlowWorld):
    """A world that offers inputs that may come now, and remembers what must hold."""

    def __init__(self) -> None:
        super().__init__(TOUR)
        self.issued: list[str] = []
        self.open_node = ""
        self.ends = 0
        WALKS["calls"] += 1
        self.takes(CustomerFound({"tier": "gold" if WALKS["calls"] % 3 == 0 else "plain"}))
        self._counted(self._begins, "Started", "new")

    def _begins(self) -> None:
        self.takes(Started())
        self._traces_pair()

    def may(self, choice: int) -> list[Input]:
        """Inputs that the world may send now, in time or late."""
        self._digits += 1
        keys = "112334566##09975"
        command = self.run.command
        key = DigitPressed(self._digits, keys[(choice >> 4) % len(keys)])
        now: dict[str, list[Input]] = {
            "media": [MediaUp()] * 3,
            "prompt": [PromptsPlayed(command), PromptsPlayed(command), key, CommandFailed(command, "bad_file")],
            "digit": [key, key, key, Tick()],
            "dial": [DialEnded(command, outcome) for outcome in get_args(DialOutcome)],
            "queue": [key, key, *(QueueLeft(command, outcome) for outcome in get_args(QueueOutcome))],
            "callback": [CallbackTaken(command, taken=bool(choice % 3))],
            "recording": [RecordingDone(command, 1000), key],
            "time": [Tick(), DigitPressed(self._digits, "#")],
        }
        late = PromptsPlayed(self.issued[choice % len(self.issued)]) if self.issued else key
        rest: list[Input] = [key, Tick(), MediaUp(), Resumed(), Resumed(live=True), DigitPressed(1, "1")]
        rest += [Resumed(live=bool(choice % 4))] * 2
        rest += [late] if late != PromptsPlayed(command) else []
        rest += [CallerGone()] if choice % 2 else []
        return now[self.run.waiting] * (1 if self.run.waiting in ("dial", "queue") else 3) + rest

    def steps(self, choice: int) -> "Walk":
        """One input; after the end of a call the next caller comes."""
        if self.run.ended:
            return Walk()
        inputs = self.may(choice)
        event = inputs[choice % len(inputs)]
        if isinstance(event, Tick) and (choice >> 8) % 4:
            self.clock.advance(10)
        before = self.run
        if isinstance(event, Resumed):
            self.run = decode(encode(before.kept()), FlowRun)
        self._counted(lambda: self.takes(event), type(event).__name__, before.waiting)
        self.holds(before, event)
        return self

    def _counted(self, step: Callable[[], object], name: str, before: str) -> None:
        step()
        TAKEN[f"{before} -> {self.run.waiting} on {name}"] += 1

    def holds(self, before: FlowRun, event: Input) -> None:
        run = self.run
        self._traces_pair()
        fresh = [
            command
            for effect in self.effects
            if (command := getattr(effect, "command", "")) and not isinstance(effect, LeaveQueue)
        ]
        assert not set(fresh) & set(self.issued), "a command id was used twice"
        self.issued += fresh
        assert (run.wake_at is not None) == (run.waiting in ("digit", "time"))
        assert run.answered or not [c for c in self.commands if not isinstance(c, Answer | Dial | Hangup)]
        assert len([c for c in self.commands if isinstance(c, Dial | EnterQueue)]) <= 1
        if isinstance(event, Resumed) and event.live and before.waiting in ("dial", "queue", "recording"):
            assert self.effects == [], "what lives was asked for again"
        if isinstance(event, DigitPressed) and event.number <= before.last_digit:
            assert self.effects == []
        assert run.last_digit >= before.last_digit
        kept = run.kept()
        assert decode(encode(kept), FlowRun) == kept
        assert not kept.typed
        assert not kept.secrets
        assert "pin" not in kept.variables
        assert [e.value for e in self.effects if isinstance(e, DigitsCollected) and e.masked] in ([], [None])

    def _traces_pair(self) -> None:
        """A node is entered, then left once or the flow ends in it; nothing follows the end."""
        for effect in self.effects:
            assert self.ends == 0, "something followed the end"
            if isinstance(effect, NodeEntered):
                assert self.open_node == ""
                self.open_node = effect.node
            elif isinstance(effect, NodeLeft):
                assert self.open_node == effect.node
                self.open_node = ""
            elif isinstance(effect, FlowEnded):
                self.ends += 1
        assert self.run.ended == (self.ends == 1)


def choices_of(steps: int) -> st.SearchStrategy[list[int]]:
    """`steps` numbers, spread evenly by a checksum: drawn numbers themselves favour the small and the repeated."""
    data = st.binary(min_size=steps, max_size=steps)
    return data.map(lambda raw: [crc32(raw[: n + 1]) for n in range(steps)])


@settings(max_examples=700, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(choices_of(60))
def walks(choices: Sequence[int]) -> None:
    walk = Walk()
    for choice in choices:
        walk = walk.steps(choice)


def test_walks_keep_every_promise_and_take_every_transition_fifty_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    walks()
    with capsys.disabled():
        least = min((TAKEN[transition], transition) for transition in EXPECTED)
        print(f"\nflow run: {TAKEN.total()} steps, {WALKS['calls']} calls, rarest {least}")  # asked to be printed
    rare = {transition: TAKEN[transition] for transition in EXPECTED if TAKEN[transition] < 50}
    assert rare == {}


@settings(max_examples=50, derandomize=True, deadline=None)
@given(choices_of(30), st.integers(1, 50))
def test_what_was_never_asked_for_is_illegal_anywhere(choices: Sequence[int], beyond: int) -> None:
    walk = Walk()
    for choice in choices:
        walk = walk.steps(choice)
    before = walk.run
    with pytest.raises(IllegalTransition) if not before.ended else nullcontext():
        walk.takes(PromptsPlayed(f"f{before.commands + beyond}"))
    assert walk.run == before
