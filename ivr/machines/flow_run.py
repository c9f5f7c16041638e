"""One caller's walk through one flow document: where it is, what it waits for, what it does next.

telephony.md sections 2 (answering) and 5; architecture.md section 4. `FlowRun` is a msgspec struct because a row of
it is written at most steps of a call and defaults are left out of the row.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from callcenter.kernel.errors import IllegalTransition
from ivr.commands import (
    Answer,
    AskCallback,
    Dial,
    DigitsCollected,
    Echo,
    Effect,
    EnterQueue,
    FlowEnded,
    FlowStarted,
    Hangup,
    LeaveQueue,
    NodeEntered,
    NodeLeft,
    Play,
    Record,
    StopPlaying,
)
from ivr.events import (
    CallbackTaken,
    CallerGone,
    CommandFailed,
    CustomerFound,
    DialEnded,
    DigitPressed,
    Input,
    MediaUp,
    PromptsPlayed,
    QueueLeft,
    RecordingDone,
    Resumed,
    Started,
    Tick,
)
from ivr.expressions import ExpressionError, Names, Template, Value
from ivr.machines.keys import read_keys
from ivr.machines.stage import MissingPrompt, Stage
from ivr.model import (
    BranchNode,
    CallbackNode,
    DialNode,
    EchoNode,
    GatherNode,
    HangupNode,
    HoursNode,
    MenuNode,
    Node,
    PlayNode,
    Prompt,
    QueueNode,
    RecordNode,
    Scalar,
    SetNode,
    VoicemailNode,
)
from ivr.references import BEEP, may_read
from ivr.speech import NotSpeakable

Waiting = Literal["new", "media", "prompt", "digit", "dial", "queue", "recording", "time", "callback", "ended"]
N = TypeVar("N", bound=Node)
_Answer = PromptsPlayed | DialEnded | QueueLeft | CallbackTaken | RecordingDone | CommandFailed

MAX_VISITS = 1000  # nodes entered in one call: a flow that gets there is going round
MAX_ERRORS = 3  # error branches taken in one call
MAX_TYPED = 32  # keys kept for later

# A run enters a node and either leaves it at once (hours, set, branch) or waits there for one thing:
#
#   new        Started -> the start node
#   media      (first node that needs the caller's ear: Answer was asked) MediaUp -> that node begins
#   prompt     PromptsPlayed -> next | listen | record; a key stops the prompt where the node lets it
#   digit      keys -> a branch, or asked again up to `tries`; Tick at wake_at -> asked again | timeout
#   dial       DialEnded -> branch of its outcome          queue      QueueLeft -> branch of its outcome
#   recording  RecordingDone -> next                       time       Tick | exit key -> next (echo)
#   queue      an exit key -> its branch                  callback   CallbackTaken -> next | refused
#   ended      nothing any more
#
# Any of these: CommandFailed of the present command -> error branch; CallerGone -> ended; Resumed -> the node begins
# again, but what still lives (dial, queue, recording) is waited for and never asked for twice. Keys that come early
# are kept for the next menu or gather. Answers to older commands, repeated keys and early ticks change nothing.


class FlowRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """State of one run. `typed` and `secrets` live in memory only: what is stored is `kept()`."""

    contact: str
    flow: str
    version: str
    caller: str = ""
    called: str = ""
    customer: dict[str, str | int | bool | None] | None = None
    language: str = ""
    node: str = ""
    waiting: Waiting = "new"
    answered: bool = False
    variables: dict[str, Scalar] = msgspec.field(default_factory=dict)
    held: dict[str, str] = msgspec.field(default_factory=dict)
    """Masked variables, each with the gather node that asks for it again."""
    command: str = ""
    commands: int = 0
    tries: int = 0
    errors: int = 0
    visits: int = 0
    last_digit: int = 0
    swallow: str = ""
    """The terminator of digits that ended by their number: still to come, belongs to nobody."""
    wake_at: datetime | None = None
    typed: str = ""
    secrets: dict[str, Scalar] = msgspec.field(default_factory=dict)

    @property
    def next_deadline(self) -> datetime | None:
        """When Tick is due; None when no time is waited for."""
        return self.wake_at

    @property
    def ended(self) -> bool:
        return self.waiting == "ended"

    def kept(self) -> "FlowRun":
        """The part that may be stored: no keys in progress, no masked digits."""
        return replace(self, typed="", secrets={}) if self.typed or self.secrets else self

    def handle(
        self, event: Input, *, now: datetime, stage: Stage, wall: datetime | None = None
    ) -> tuple["FlowRun", list[Effect]]:
        """The next state and what is to be done, in order. `wall` is true wall time for calendars (default `now`).

        Raises IllegalTransition on an input that the present state does not know.
        """
        turn = _Turn(self, stage, now, wall or now)
        turn.take(event)
        return turn.run, turn.effects


class _Turn:
    """One input's way through the machine. Steps return the node to enter next, "" when the run waits or ended."""

    def __init__(self, run: FlowRun, stage: Stage, now: datetime, wall: datetime) -> None:
        self.run = run
        self.effects: list[Effect] = []
        self._stage = stage
        self._now = now
        self._wall = wall

    def take(self, event: Input) -> None:
        run = self.run
        if run.waiting == "new" and not isinstance(event, Started | CallerGone | CustomerFound):
            raise self._illegal(event)
        if isinstance(event, Started):
            if run.waiting != "new":
                raise self._illegal(event)
            self._start()
        elif run.waiting != "ended":
            self._enter(self._guarded(_TAKERS[type(event)], event))

    def _illegal(self, event: Input) -> IllegalTransition:
        return IllegalTransition("FlowRun", f"{self.run.node or 'no node'}/{self.run.waiting}", event)

    def _start(self) -> None:
        flow = self._stage.flow
        self.run = replace(self.run, language=flow.language)
        self.effects.append(FlowStarted(flow.name, flow.version))
        self._enter(flow.start)

    # -- walking ----------------------------------------------------------------------------------------------------

    def _enter(self, target: str) -> None:
        while target:
            run = self.run
            node = self._stage.flow.nodes[target]
            answering = node.needs_answer and not run.answered
            self.run = replace(
                run,
                node=target,
                waiting="media",
                visits=run.visits + 1,
                command="",
                tries=0,
                wake_at=None,
            )
            self.effects.append(NodeEntered(target, node.kind))
            if run.visits >= MAX_VISITS:
                self._end("error", Hangup("error", 500))
                return
            if answering:
                self.effects.append(Answer())
                return
            target = self._begin(node)

    def _begin(self, node: Node) -> str:
        return self._guarded(_BEGINNERS[type(node)], node)

    def _guarded(self, step: Callable[..., str], argument: Node | Input) -> str:
        try:
            return step(self, argument)
        except ExpressionError:
            return self._fail("expression")
        except NotSpeakable:
            return self._fail("not_speakable")
        except MissingPrompt:
            return self._fail("missing_prompt")

    def _here(self) -> Node:
        return self._stage.flow.nodes[self.run.node]

    def _leave(self, branch: str, target: str) -> str:
        self.effects.append(NodeLeft(self.run.node, branch))
        return target

    def _fail(self, reason: str) -> str:
        node = self._here()
        self.run = replace(self.run, errors=self.run.errors + 1)
        self.effects.append(NodeLeft(node.name, "error", reason))
        if self.run.errors > MAX_ERRORS or node.on_error in ("", node.name):
            return self._end("error", Hangup("error", 500))
        return node.on_error

    def _end(self, reason: str, hangup: Hangup | None = None) -> str:
        self.run = replace(self.run, waiting="ended", command="", wake_at=None, typed="", secrets={}, held={})
        if hangup is not None:
            self.effects.append(hangup)
        self.effects.append(FlowEnded(reason))
        return ""

    def _wait(self, waiting: Waiting, *, seconds: float | None = None) -> str:
        wake_at = None if seconds is None else self._now + timedelta(seconds=seconds)
        self.run = replace(self.run, waiting=waiting, wake_at=wake_at)
        return ""

    def _command(self) -> str:
        number = self.run.commands + 1
        command = f"f{number}"
        self.run = replace(self.run, commands=number, command=command)
        return command

    def _play(self, files: tuple[str, ...]) -> str:
        self.effects.append(Play(self._command(), files))
        return self._wait("prompt")

    def _stop(self) -> None:
        self.effects.append(StopPlaying())

    # -- nodes ------------------------------------------------------------------------------------------------------

    def _begin_play(self, node: PlayNode) -> str:
        return self._play(self._files(node.prompts))

    def _begin_asking(self, node: MenuNode | GatherNode) -> str:
        return self._ask(node, node.prompts)

    def _ask(self, node: MenuNode | GatherNode, prompts: tuple[Prompt, ...]) -> str:
        if self.run.typed and node.barge_in:
            return self._decide(node)
        return self._play(self._files(prompts))

    def _listen(self, node: MenuNode | GatherNode) -> str:
        if self.run.typed:
            return self._decide(node)
        return self._wait("digit", seconds=node.timeout_s)

    def _decide(self, node: MenuNode | GatherNode) -> str:
        return self._choose(node) if isinstance(node, MenuNode) else self._collect(node)

    def _choose(self, node: MenuNode) -> str:
        key, rest = self.run.typed[0], self.run.typed[1:]
        target = node.digits.get(key)
        if target is None:
            return self._again(node, "invalid")
        self.run = replace(self.run, typed=rest)
        return self._leave(key, target)

    def _collect(self, node: GatherNode) -> str:
        verdict, digits, rest = read_keys(node, self.run.typed)
        if verdict == "more":
            return self._wait("digit", seconds=node.interdigit_s)
        if verdict == "bad":
            return self._again(node, "invalid")
        return self._accept(node, digits, rest)

    def _accept(self, node: GatherNode, digits: str, rest: str) -> str:
        full = len(digits) == node.max and not rest
        self.run = replace(self.run, typed=rest, swallow=node.terminator if full else "")
        self._assign(node.into, digits, masked_by=node.name if node.masked else "")
        value = None if node.masked else digits
        self.effects.append(DigitsCollected(node.name, node.into, len(digits), node.masked, value))
        return self._leave("next", node.next)

    def _again(self, node: MenuNode | GatherNode, fault: Literal["invalid", "timeout"]) -> str:
        tries = self.run.tries + 1
        self.run = replace(self.run, tries=tries, typed="")
        if tries >= node.tries:
            return self._leave(fault, node.on_invalid if fault == "invalid" else node.on_timeout)
        sorry = node.invalid_prompts if fault == "invalid" else node.timeout_prompts
        return self._ask(node, (*sorry, *node.prompts))

    def _begin_hours(self, node: HoursNode) -> str:
        calendar = self._stage.calendars.get(node.calendar)
        if calendar is None:
            return self._fail("missing_calendar")
        return self._leave("open", node.open) if calendar.is_open(self._wall) else self._leave("closed", node.closed)

    def _begin_set(self, node: SetNode) -> str:
        names = self._names()
        for variable, value in node.values.items():
            if isinstance(value, Template):
                self._assign(variable, _scalar(value.value(names)), masked_by=self._mask_of(value))
            else:
                self._assign(variable, value, masked_by="")
        return self._leave("next", node.next)

    def _mask_of(self, value: Template) -> str:
        """The gather node of a masked variable that `value` reads: what derives from it is masked too."""
        held = self.run.held
        return next((held[path[1]] for path in value.paths() if path[0] == "vars" and path[1] in held), "")

    def _begin_branch(self, node: BranchNode) -> str:
        names = self._names()
        for number, case in enumerate(node.cases, 1):
            if case.condition.evaluate(names):
                return self._leave(f"case_{number}", case.next)
        return self._leave("else", node.otherwise)

    def _begin_dial(self, node: DialNode) -> str:
        target = node.target.text(self._names()).strip()
        if not target:
            return self._fail("no_target")
        announcement = self._files(node.announcement)
        ringback = self._files(node.ringback) if self.run.answered else ()
        self.run = replace(self.run, typed="")
        self.effects.append(Dial(self._command(), target, node.ring_s, node.record, announcement, ringback))
        return self._wait("dial")

    def _begin_echo(self, node: EchoNode) -> str:
        self.run = replace(self.run, typed="")
        self.effects.append(Echo(self._command()))
        return self._wait("time", seconds=node.seconds)

    def _begin_record(self, node: RecordNode) -> str:
        self.run = replace(self.run, typed="")
        files = self._files((*node.prompts, BEEP) if node.beep else node.prompts)
        return self._play(files) if files else self._record(node)

    def _record(self, node: RecordNode) -> str:
        ticket = (node.category, node.priority, node.queue) if isinstance(node, VoicemailNode) else ()
        self.effects.append(Record(self._command(), node.max_s, *ticket))
        return self._wait("recording")

    def _begin_queue(self, node: QueueNode) -> str:
        self.run = replace(self.run, typed="")
        music, comfort = self._files(node.music), self._files(node.comfort)
        self.effects.append(
            EnterQueue(
                self._command(),
                node.queue,
                dict(node.skills),
                node.priority,
                music,
                comfort,
                announce=node.announce,
                head_start_s=node.head_start_s,
                preferred=node.preferred.text(self._names()).strip(),
            )
        )
        return self._wait("queue")

    def _exit_queue(self, node: QueueNode, key: str) -> str:
        target = node.exits[key]
        for_callback = isinstance(self._stage.flow.nodes[target], CallbackNode)
        self.effects.append(LeaveQueue(self.run.command, key, for_callback))
        return self._leave(key, target)

    def _begin_callback(self, node: CallbackNode) -> str:
        number = node.number.text(self._names()).strip()
        if not number:
            return self._leave("refused", node.on_refused)
        self.effects.append(AskCallback(self._command(), number, node.queue))
        return self._wait("callback")

    def _begin_hangup(self, node: HangupNode) -> str:
        return self._end("hangup", Hangup(node.reason, node.status))

    # -- inputs -----------------------------------------------------------------------------------------------------

    def _take_media(self, _event: MediaUp) -> str:
        if self.run.answered:
            return ""
        self.run = replace(self.run, answered=True)
        return self._begin(self._here()) if self.run.waiting == "media" else ""

    def _is_current(self, event: _Answer) -> bool:
        number = event.command[1:]
        if not number.isdecimal() or not 1 <= int(number) <= self.run.commands:
            raise self._illegal(event)  # never asked for
        return event.command == self.run.command

    def _take_played(self, event: PromptsPlayed) -> str:
        if not self._is_current(event) or self.run.waiting == "digit":
            return ""  # an older prompt, or the end of one crossed the key that stopped it
        if self.run.waiting != "prompt":
            raise self._illegal(event)
        node = self._here()
        if isinstance(node, MenuNode | GatherNode):
            return self._listen(node)
        if isinstance(node, RecordNode):
            return self._record(node)
        return self._leave("next", dict(node.edges())["next"])

    def _take_digit(self, event: DigitPressed) -> str:
        run = self.run
        if event.number <= run.last_digit:
            return ""
        self.run = replace(run, last_digit=event.number, swallow="")
        node = self._here()
        if event.digit == run.swallow and not (isinstance(node, MenuNode) and event.digit in node.digits):
            return ""
        if run.waiting == "digit":
            return self._type(event.digit, node)
        if run.waiting == "prompt":
            return self._type_over(event.digit, node)
        if run.waiting == "recording" and isinstance(node, RecordNode) and event.digit == node.terminator:
            self._stop()
        elif run.waiting == "time" and isinstance(node, EchoNode) and event.digit == node.exit:
            self._stop()
            return self._leave("next", node.next)
        elif run.waiting == "queue" and isinstance(node, QueueNode) and event.digit in node.exits:
            return self._exit_queue(node, event.digit)
        elif run.waiting == "media":
            self._keep(event.digit)
        return ""

    def _keep(self, digit: str) -> None:
        self.run = replace(self.run, typed=(self.run.typed + digit)[:MAX_TYPED])

    def _type(self, digit: str, node: Node) -> str:
        self._keep(digit)
        return self._decide(node) if isinstance(node, MenuNode | GatherNode) else ""

    def _type_over(self, digit: str, node: Node) -> str:
        """A key while a prompt plays."""
        if isinstance(node, RecordNode):
            return ""
        self._keep(digit)
        if not (isinstance(node, PlayNode | MenuNode | GatherNode) and node.barge_in):
            return ""
        self._stop()
        return self._leave("next", node.next) if isinstance(node, PlayNode) else self._decide(node)

    def _take_dial_end(self, event: DialEnded) -> str:
        if not self._is_current(event):
            return ""
        if event.outcome == "answered":
            self.run = replace(self.run, answered=True)
        return self._outcome(event, "dial", event.outcome)

    def _take_queue_end(self, event: QueueLeft) -> str:
        return self._outcome(event, "queue", event.outcome) if self._is_current(event) else ""

    def _take_callback(self, event: CallbackTaken) -> str:
        if not self._is_current(event):
            return ""
        return self._outcome(event, "callback", "next" if event.taken else "refused")

    def _outcome(self, event: Input, waiting: Waiting, outcome: str) -> str:
        if self.run.waiting != waiting:
            raise self._illegal(event)
        edges = dict(self._here().edges())
        # Who is taken out of a queue has waited in vain like one whose time was over.
        target = edges.get(outcome, edges.get("timeout") if outcome == "cancelled" else None)
        return self._fail(f"{waiting}_{outcome}") if target is None else self._leave(outcome, target)

    def _take_recording_end(self, event: RecordingDone) -> str:
        if not self._is_current(event):
            return ""
        if self.run.waiting != "recording":
            raise self._illegal(event)
        return self._leave("next", dict(self._here().edges())["next"])

    def _take_failure(self, event: CommandFailed) -> str:
        if not self._is_current(event) or self.run.waiting == "digit":
            return ""
        return self._fail(event.reason)

    def _take_customer(self, event: CustomerFound) -> str:
        self.run = replace(self.run, customer=event.customer)
        return ""

    def _take_caller_gone(self, _event: CallerGone) -> str:
        return self._end("caller_gone")

    def _take_tick(self, _event: Tick) -> str:
        if self.run.wake_at is None or self._now < self.run.wake_at:
            return ""
        node = self._here()
        if isinstance(node, EchoNode):
            self._stop()
            return self._leave("next", node.next)
        if isinstance(node, GatherNode) and len(self.run.typed) >= node.min:
            return self._accept(node, self.run.typed, "")
        if isinstance(node, MenuNode | GatherNode):
            return self._again(node, "invalid" if self.run.typed else "timeout")
        raise self._illegal(_event)

    def _take_resumed(self, event: Resumed) -> str:
        waiting = self.run.waiting
        if waiting == "media" or (event.live and waiting in ("dial", "queue", "recording")):
            return ""  # the leg, the dial, the entry or the recording goes on by itself
        if event.live and waiting == "prompt" and not self.run.held:
            return ""  # nor need the caller hear the beginning again
        if waiting in ("dial", "queue"):
            return self._fail("restart")
        if waiting == "time":
            self.effects.append(Echo(self._command()))
            return ""
        self.run = replace(self.run, typed="", wake_at=None)
        lost, flow = self.run.held, self._stage.flow
        again = next((node for name, node in lost.items() if may_read(flow, self.run.node, name)), "")
        self.run = replace(self.run, held={})
        if again and again != self.run.node:
            return self._leave("restart", again)
        return self._begin(self._here())

    # -- values -----------------------------------------------------------------------------------------------------

    def _assign(self, name: str, value: Scalar, *, masked_by: str) -> None:
        run = self.run
        if name == "language" and not masked_by:
            self.run = run = replace(run, language=str(value))
        variables = {key: old for key, old in run.variables.items() if key != name}
        secrets = {key: old for key, old in run.secrets.items() if key != name}
        held = {key: old for key, old in run.held.items() if key != name}
        if masked_by:
            secrets[name], held[name] = value, masked_by
        else:
            variables[name] = value
        self.run = replace(run, variables=variables, secrets=secrets, held=held)

    def _names(self) -> Names:
        run = self.run
        return {
            "caller": run.caller,
            "called": run.called,
            "customer": run.customer,
            "vars": {**run.variables, **run.secrets},
            "time": self._stage.time(self._wall),
        }

    def _files(self, prompts: tuple[Prompt, ...]) -> tuple[str, ...]:
        return self._stage.files(prompts, self.run.language, self._names)


def _scalar(value: Value) -> Scalar:
    if isinstance(value, str | int | None):
        return value
    raise ExpressionError("a variable holds text, a number, true, false or null")


_BEGINNERS: dict[type[Node], Callable[..., str]] = {
    PlayNode: _Turn._begin_play,
    MenuNode: _Turn._begin_asking,
    GatherNode: _Turn._begin_asking,
    HoursNode: _Turn._begin_hours,
    SetNode: _Turn._begin_set,
    BranchNode: _Turn._begin_branch,
    DialNode: _Turn._begin_dial,
    EchoNode: _Turn._begin_echo,
    RecordNode: _Turn._begin_record,
    VoicemailNode: _Turn._begin_record,
    QueueNode: _Turn._begin_queue,
    CallbackNode: _Turn._begin_callback,
    HangupNode: _Turn._begin_hangup,
}
_TAKERS: dict[type[Input], Callable[..., str]] = {
    MediaUp: _Turn._take_media,
    PromptsPlayed: _Turn._take_played,
    DigitPressed: _Turn._take_digit,
    DialEnded: _Turn._take_dial_end,
    QueueLeft: _Turn._take_queue_end,
    CallbackTaken: _Turn._take_callback,
    RecordingDone: _Turn._take_recording_end,
    CommandFailed: _Turn._take_failure,
    CustomerFound: _Turn._take_customer,
    CallerGone: _Turn._take_caller_gone,
    Tick: _Turn._take_tick,
    Resumed: _Turn._take_resumed,
}
