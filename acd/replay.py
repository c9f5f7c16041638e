"""Proof that the log explains itself: the journalled inputs, run through a core, give the journalled facts.

Between two inputs of a long log stand snapshots; each one that is passed is held against the core as well. Replay is
never recovery (architecture.md section 2): nothing that it yields leaves this module but a verdict.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from acd import commands, events
from acd.core import Distributor, Row
from acd.model import instant
from acd.service import INPUT_TYPES
from acd.snapshot import Snapshot
from acd.version import core_version
from callcenter.kernel.codec import encode

FACT_PREFIX = "acd."
Data = Mapping[str, object]
# Fields that facts have had for a while only: the log of another core may say the same without them.
ADDED: Mapping[str, tuple[str, ...]] = {events.EntryQueued.TYPE: ("skills", "callback", "since")}
UNREADABLE = "cannot be read: "


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the journal of the distributor. `kind` is "input" or "event", `at` milliseconds since 1970."""

    seq: int
    kind: str
    type: str
    subject: str
    data: Data
    at: int = 0


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where log and core disagree; None where one of them has nothing.

    `seq` is the journal number of the line, `input` the number of the last input that was run.
    """

    seq: int
    input: int
    logged: str | None
    replayed: str | None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was replayed, and where it went another way (None: nowhere).

    `snapshots` counts those that the core was found equal to; `cores` are the programs that wrote the log, each from
    the journal number on that stands with it.
    """

    inputs: int
    facts: int
    divergence: Divergence | None
    snapshots: int = 0
    cores: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Replay:
    """A replay under way: `take` the log line by line until it says that something differs, then `end`.

    `told` and `touched` are what the core has said and changed at the last input.
    """

    core: Distributor = field(default_factory=Distributor)
    inputs: int = 0
    facts: int = 0
    snapshots: int = 0
    told: list[events.Event] = field(default_factory=list)
    touched: list[Row] = field(default_factory=list)
    _expected: list[tuple[str, str, Data]] = field(default_factory=list)
    _cores: list[tuple[int, str]] = field(default_factory=list)
    _seq: int = 0
    _at: int = 0

    def take(self, item: Logged | Snapshot) -> Divergence | None:
        """Go on by one line; the place where the core went another way."""
        if isinstance(item, Snapshot):
            return self.end() or self._compare(item)
        self._seq, self._at = item.seq, item.at
        if item.kind == "input":
            return self._run(item) if item.type in INPUT_TYPES else None
        return self._check(item) if item.type.startswith(FACT_PREFIX) else None

    def end(self) -> Divergence | None:
        """The log is over here: whether the core has told more than it."""
        return self._differs(None, _line(*self._expected[0])) if self._expected else None

    def verdict(self, divergence: Divergence | None) -> Verdict:
        """What has been seen so far."""
        return Verdict(self.inputs, self.facts, divergence, self.snapshots, tuple(self._cores))

    def _run(self, line: Logged) -> Divergence | None:
        if self._expected:
            return self.end()
        try:
            input_, number, now_ms = decoded(line)
        except (msgspec.ValidationError, KeyError) as error:
            return self._differs(f"{UNREADABLE}{error}", None)
        if isinstance(input_, commands.Restarted):
            self._cores.append((line.seq, input_.core))
        self.told = self.core.handle(input_, now=instant(now_ms))
        self.touched = self.core.take_touched()
        self.inputs += 1
        facts = (fact for fact in self.told if not isinstance(fact, events.InputRefused))
        self._expected = [events.wire(fact) for fact in facts]
        if self.core.number != number:
            return self._differs(f"n={number}", f"n={self.core.number}")
        return None

    def _check(self, line: Logged) -> Divergence | None:
        self.facts += 1
        logged = _line(line.type, line.subject, line.data)
        if not self._expected:
            return self._differs(logged, None)
        type_, subject, data = self._expected.pop(0)
        replayed = _line(type_, subject, data)
        if logged == replayed or logged == _line(type_, subject, self._as_it_was(line, data)):
            return None
        return self._differs(logged, replayed)

    def _as_it_was(self, line: Logged, data: Data) -> Data:
        """`data` without what was added to it after `line` was written; what this core wrote has all of it."""
        if self._cores and self._cores[-1][1] == core_version():
            return data
        missing = [name for name in ADDED.get(line.type, ()) if name not in line.data]
        return {name: value for name, value in data.items() if name not in missing}

    def _compare(self, snapshot: Snapshot) -> Divergence | None:
        core = self.core
        self._seq = snapshot.seq
        if (core.number, core.policy) != (snapshot.number, snapshot.policy):
            here = f"n={snapshot.number} policy={snapshot.policy.version}"
            return self._differs(here, f"n={core.number} policy={core.policy.version}")
        found = snapshot.differs(core)
        if found is not None:
            row, kept, replayed = found
            return self._differs(f"{row}: {kept}", f"{row}: {replayed}")
        self.snapshots += 1
        return None

    def _differs(self, logged: str | None, replayed: str | None) -> Divergence:
        return Divergence(self._seq, self.core.number, logged, replayed, self._at)


def replay(
    log: Iterable[Logged | Snapshot],
    core: Distributor | None = None,
    *,
    progress: Callable[[int], None] = lambda _seq: None,
) -> Verdict:
    """Run the inputs of `log`, which starts with the site's first input or with those after `core`'s state.

    `progress` is told the journal number of each line.
    """
    under_way = Replay(core or Distributor())
    for item in log:
        progress(item.seq)
        divergence = under_way.take(item)
        if divergence is not None:
            return under_way.verdict(divergence)
    return under_way.verdict(under_way.end())


def decoded(line: Logged) -> tuple[commands.Input, int, int]:
    """(input, its number, its instant in ms). Raises msgspec.ValidationError for a line of another version."""
    data = dict(line.data)
    number, now_ms = msgspec.convert(data.pop("n"), int), msgspec.convert(data.pop("now"), int)
    return msgspec.convert(data, INPUT_TYPES[line.type]), number, now_ms


def _line(type_: str, subject: str, data: Data) -> str:
    return encode([type_, subject, data]).decode()
