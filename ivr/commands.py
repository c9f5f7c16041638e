"""What a flow run asks for (effects for the director) and what it tells (traces, journalled as events.md has them).

A command id ("f1", "f2", ...) is unique in its run; what comes back names it, so an answer to an older command is
seen to be late. Files are absolute paths of WAV files.
"""

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """200 to the caller; MediaUp follows."""


class Play(msgspec.Struct, frozen=True):
    """Play `files` in order, replacing what plays; PromptsPlayed(command) follows unless it is stopped."""

    command: str
    files: tuple[str, ...]


class StopPlaying(msgspec.Struct, frozen=True):
    """Stop prompts, echo or recording on the caller's session; a recording answers with RecordingDone."""


class Echo(msgspec.Struct, frozen=True):
    """Send the caller's own audio back until StopPlaying or another command."""

    command: str


class Record(msgspec.Struct, frozen=True):
    """Record the caller's message for at most `max_s` seconds; RecordingDone(command) follows.

    With a `category` it becomes a ticket of that category and `priority` for `queue` (the site's, may be empty).
    """

    command: str
    max_s: int
    category: str = ""
    priority: str = "normal"
    queue: str = ""


class Dial(msgspec.Struct, frozen=True):
    """Ring `target` (phone user or number) for `ring_s` seconds and bridge; DialEnded(command) follows.

    `announcement` is played to the caller before the bridge and its recording. `ringback` loops meanwhile; it is
    empty while the caller is unanswered: there 180 is passed on, and the called phone's answer answers.
    """

    command: str
    target: str
    ring_s: int
    record: bool
    announcement: tuple[str, ...]
    ringback: tuple[str, ...]


class EnterQueue(msgspec.Struct, frozen=True):
    """Wait in `queue` for an agent with `skills` (name -> least level 1..10); QueueLeft(command) follows.

    `priority` 1..99, higher first; `music` loops until an agent answers. `comfort` is played over it at times, where
    the flow has words of its own; `announce`: whether the caller is told his place, where the queue tells it.
    `head_start_s` moves him forward; `preferred` is the agent whom he waits for first, empty: nobody.
    """

    command: str
    queue: str
    skills: dict[str, int]
    priority: int
    music: tuple[str, ...]
    comfort: tuple[str, ...] = ()
    announce: bool = True
    head_start_s: int = 0
    preferred: str = ""


class LeaveQueue(msgspec.Struct, frozen=True):
    """Take the caller out of the queue of EnterQueue(command): he pressed `key`. No QueueLeft follows.

    `for_callback`: he goes where he can ask to be called back.
    """

    command: str
    key: str
    for_callback: bool


class AskCallback(msgspec.Struct, frozen=True):
    """Call `number` back when it is his turn; CallbackTaken(command) follows.

    In `queue`, or where that is empty in the one that he just left, with the place that he had there.
    """

    command: str
    number: str
    queue: str


class Hangup(msgspec.Struct, frozen=True):
    """End the caller's leg: BYE when answered, else the final SIP `status` (400..699)."""

    reason: str
    status: int


class FlowStarted(msgspec.Struct, frozen=True):
    """Trace: the run began."""

    flow: str
    version: str


class NodeEntered(msgspec.Struct, frozen=True):
    """Trace: the run is at `node`."""

    node: str
    kind: str


class NodeLeft(msgspec.Struct, frozen=True):
    """Trace: the run left `node` by `branch`; `reason` says why on the branch "error", else empty."""

    node: str
    branch: str
    reason: str = ""


class DigitsCollected(msgspec.Struct, frozen=True):
    """Trace: `count` digits were collected; `value` is None where the node is masked, and is never journalled."""

    node: str
    into: str
    count: int
    masked: bool
    value: str | None


class FlowEnded(msgspec.Struct, frozen=True):
    """Trace: the run is over: hangup (its own), caller_gone or error."""

    reason: str


Command = Answer | Play | StopPlaying | Echo | Record | Dial | EnterQueue | LeaveQueue | AskCallback | Hangup
Trace = FlowStarted | NodeEntered | NodeLeft | DigitsCollected | FlowEnded
Effect = Command | Trace
