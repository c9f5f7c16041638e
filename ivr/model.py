"""A flow document as the machine reads it: immutable, checked, with a version that is its content's hash.

Node names are keys of `Flow.nodes`. Every node but hangup has `on_error`. `edges` are (branch, target) pairs; the
branch names are those of `ivr.node.left`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ivr.expressions import Expression, Template

Edges = tuple[tuple[str, str], ...]
Scalar = str | int | bool | None
Priority = Literal["low", "normal", "high", "urgent"]
"""Of the ticket that a voice message becomes."""


@dataclass(frozen=True, slots=True)
class Say:
    """A number or digit string spoken from recorded pieces."""

    style: Literal["digits", "number"]
    what: Template


Prompt = str | Say
"""A prompt id, or something to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has. `needs_answer`: entering it answers the call."""

    kind: ClassVar[str]
    needs_answer: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    name: str
    on_error: str

    def edges(self) -> Edges:
        """Branches other than the error branch."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayNode(Node):
    """Plays prompts. A key pressed meanwhile is kept for the next menu; with `barge_in` it also stops them."""

    kind = "play"
    needs_answer = True

    prompts: tuple[Prompt, ...]
    next: str
    barge_in: bool

    def edges(self) -> Edges:
        return (("next", self.next),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuNode(Node):
    """One key of `digits`, asked at most `tries` times."""

    kind = "menu"
    needs_answer = True
    waits = True

    prompts: tuple[Prompt, ...]
    invalid_prompts: tuple[Prompt, ...]
    timeout_prompts: tuple[Prompt, ...]
    digits: Mapping[str, str]
    timeout_s: float
    tries: int
    on_timeout: str
    on_invalid: str
    barge_in: bool

    def edges(self) -> Edges:
        return (*self.digits.items(), ("timeout", self.on_timeout), ("invalid", self.on_invalid))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherNode(Node):
    """`min`..`max` digits into the variable `into`; `masked` ones are kept in memory only."""

    kind = "gather"
    needs_answer = True
    waits = True

    prompts: tuple[Prompt, ...]
    invalid_prompts: tuple[Prompt, ...]
    timeout_prompts: tuple[Prompt, ...]
    into: str
    min: int
    max: int
    terminator: str
    timeout_s: float
    interdigit_s: float
    tries: int
    masked: bool
    barge_in: bool
    next: str
    on_timeout: str
    on_invalid: str

    def edges(self) -> Edges:
        return (("next", self.next), ("timeout", self.on_timeout), ("invalid", self.on_invalid))


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursNode(Node):
    """Open or closed by the business calendar, on the wall clock."""

    kind = "hours"

    calendar: str
    open: str
    closed: str

    def edges(self) -> Edges:
        return (("open", self.open), ("closed", self.closed))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNode(Node):
    """Sets variables; `language` changes the language that is spoken."""

    kind = "set"

    values: Mapping[str, Scalar | Template]
    next: str

    def edges(self) -> Edges:
        return (("next", self.next),)


@dataclass(frozen=True, slots=True)
class Case:
    condition: Expression
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchNode(Node):
    """The first case that holds, or else `otherwise` (`else` in the document)."""

    kind = "branch"

    cases: tuple[Case, ...]
    otherwise: str

    def edges(self) -> Edges:
        cases = ((f"case_{number}", case.next) for number, case in enumerate(self.cases, 1))
        return (*cases, ("else", self.otherwise))


@dataclass(frozen=True, slots=True, kw_only=True)
class DialNode(Node):
    """Rings a phone user or number and bridges; `next` once they have talked and the called side left."""

    kind = "dial"
    waits = True

    target: Template
    ring_s: int
    record: bool
    announcement: tuple[Prompt, ...]
    ringback: tuple[Prompt, ...]
    next: str
    on_busy: str
    on_no_answer: str
    on_declined: str
    on_unreachable: str

    def edges(self) -> Edges:
        return (
            ("answered", self.next),
            ("busy", self.on_busy),
            ("no_answer", self.on_no_answer),
            ("declined", self.on_declined),
            ("unreachable", self.on_unreachable),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoNode(Node):
    """Sends the caller's audio back for `seconds`, until the key `exit`, or to the end of the call."""

    kind = "echo"
    needs_answer = True
    waits = True

    seconds: float | None
    exit: str
    next: str

    def edges(self) -> Edges:
        return (("next", self.next),) if self.next else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNode(Node):
    """Records the caller's message until `max_s` seconds or the key `terminator`."""

    kind = "record"
    needs_answer = True
    waits = True

    prompts: tuple[Prompt, ...]
    beep: bool
    max_s: int
    terminator: str
    next: str

    def edges(self) -> Edges:
        return (("next", self.next),)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailNode(RecordNode):
    """Records as `record` does and has a ticket of `category` opened with the message, also when he hangs up."""

    kind = "voicemail"

    category: str
    priority: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNode(Node):
    """Waits for an agent; `next` once they have talked and the agent left.

    `head_start_s` moves the caller forward; `preferred` is the agent whom he waits for first, empty: nobody.
    A key of `exits` takes the caller out of the queue. What the queue itself tells him of his place (`announce`) and
    plays for comfort can be silenced or, for `comfort`, replaced.
    """

    kind = "queue"
    needs_answer = True
    waits = True

    queue: str
    skills: Mapping[str, int]
    priority: int
    music: tuple[Prompt, ...]
    next: str
    on_timeout: str
    on_full: str
    on_no_agents: str
    on_cancelled: str
    announce: bool
    comfort: tuple[Prompt, ...]
    exits: Mapping[str, str]
    head_start_s: int
    preferred: Template

    def edges(self) -> Edges:
        edges = (("answered", self.next), ("timeout", self.on_timeout), ("full", self.on_full))
        optional = (("no_agents", self.on_no_agents), ("cancelled", self.on_cancelled))
        return (*edges, *((branch, target) for branch, target in optional if target), *self.exits.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackNode(Node):
    """Notes that `number` is called back in its turn; `next` when that is agreed, `on_refused` when it cannot be."""

    kind = "callback"

    number: Template
    queue: str
    next: str
    on_refused: str

    def edges(self) -> Edges:
        return (("next", self.next), ("refused", self.on_refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class HangupNode(Node):
    """Ends the call: BYE, or before the answer the SIP status."""

    kind = "hangup"

    reason: str
    status: int


NODE_KINDS: tuple[type[Node], ...] = (
    PlayNode,
    MenuNode,
    GatherNode,
    HoursNode,
    SetNode,
    BranchNode,
    DialNode,
    EchoNode,
    RecordNode,
    VoicemailNode,
    QueueNode,
    CallbackNode,
    HangupNode,
)


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow document. `source` is the document itself, kept beside runs that outlive an edit of the file.

    `language` is spoken first; `languages` are all that the flow may change to. `zone` is the IANA zone of `time.x`.
    """

    name: str
    version: str
    language: str
    languages: tuple[str, ...]
    zone: str
    start: str
    nodes: Mapping[str, Node]
    source: Mapping[str, object] = field(repr=False, compare=False, hash=False)


PromptFile = Callable[[str, str], str | None]
"""(language, prompt id) -> absolute path of its WAV file, None when there is none."""
