"""Proof that the log explains itself: the journalled inputs, run through a fresh core, give the journalled facts.

Replay is never recovery (architecture.md section 2): nothing that it yields leaves this module but a verdict.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from acd import commands, events
from acd.core import Distributor
from acd.model import instant
from acd.service import INPUT_TYPES
from callcenter.kernel.codec import encode

FACT_PREFIX = "acd."


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the journal of the distributor. `kind` is "input" or "event"."""

    seq: int
    kind: str
    type: str
    subject: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where log and core disagree; None where one of them has nothing."""

    seq: int
    input: int
    logged: str | None
    replayed: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was replayed, and where it went another way (None: nowhere)."""

    inputs: int
    facts: int
    divergence: Divergence | None


def replay(log: Iterable[Logged], core: Distributor | None = None) -> Verdict:
    """Run the inputs of `log`, which starts with the site's first input or with those after `core`'s state."""
    core = core or Distributor()
    inputs = facts = number = seq = 0
    expected: list[str] = []
    for line in log:
        seq = line.seq
        if line.kind == "input":
            if line.type not in INPUT_TYPES:
                continue
            if expected:
                return Verdict(inputs, facts, Divergence(seq, number, None, expected[0]))
            input_, number, now_ms = decoded(line)
            told = core.handle(input_, now=instant(now_ms))
            inputs += 1
            expected = [_line(*events.wire(fact)) for fact in told if not isinstance(fact, events.InputRefused)]
            if core.number != number:
                return Verdict(inputs, facts, Divergence(seq, number, f"n={number}", f"n={core.number}"))
        elif line.type.startswith(FACT_PREFIX):
            facts += 1
            logged = _line(line.type, line.subject, line.data)
            replayed = expected.pop(0) if expected else None
            if logged != replayed:
                return Verdict(inputs, facts, Divergence(seq, number, logged, replayed))
    if expected:
        return Verdict(inputs, facts, Divergence(seq, number, None, expected[0]))
    return Verdict(inputs, facts, None)


def decoded(line: Logged) -> tuple[commands.Input, int, int]:
    """(input, its number, its instant in ms). Raises msgspec.ValidationError for a line of another version."""
    data = dict(line.data)
    number, now_ms = msgspec.convert(data.pop("n"), int), msgspec.convert(data.pop("now"), int)
    return msgspec.convert(data, INPUT_TYPES[line.type]), number, now_ms


def _line(type_: str, subject: str, data: Mapping[str, object]) -> str:
    return encode([type_, subject, data]).decode()
