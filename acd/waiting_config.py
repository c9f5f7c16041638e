"""What a queue does for those who wait, as queues.yaml says it: announcements, comfort, overflow, callback."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from acd.policies.announcing import SILENT, AnnouncePolicy
from acd.policies.overflow import OverflowRule, Target, TargetKind, When
from acd.section import Section

DAY_S = 86_400
NAMED = ("queue", "flow", "number", "announcement")
PLAIN = ("branch", "voicemail", "callback")
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class CallbackConfig:
    """How often and how long a customer is called back. Seconds."""

    tries: int = 3
    retry_s: int = 600
    ring_s: int = 25


NO_CALLBACK = CallbackConfig()


@dataclass(frozen=True, slots=True)
class WaitingConfig:
    """`comfort` names a prompt; `resume_s`: for so long one who was cut off finds his place again, 0: never."""

    announce: AnnouncePolicy = SILENT
    comfort: str | None = None
    overflow: tuple[OverflowRule, ...] = ()
    callback: CallbackConfig = NO_CALLBACK
    resume_s: int = 0


QUIET = WaitingConfig()


def read_waiting(section: Section) -> WaitingConfig:
    """The keys `announce`, `comfort`, `overflow`, `callback` and `resume_s` of a queue."""
    comfort = section.section("comfort")
    prompt = comfort.optional_text("prompt")
    every_s = comfort.integer("every_s", 10, DAY_S, 60) if prompt else 0
    comfort.close()
    return WaitingConfig(
        announce=_announce(section.section("announce"), every_s),
        comfort=prompt,
        overflow=tuple(_rule(each) for each in section.sections("overflow", may_be_missing=True)),
        callback=_callback(section.section("callback")),
        resume_s=section.integer("resume_s", 0, DAY_S, 0),
    )


def _announce(section: Section, comfort_s: int) -> AnnouncePolicy:
    default = AnnouncePolicy()
    announce = AnnouncePolicy(
        position=section.flag("position", default=False),
        expected_wait=section.flag("expected_wait", default=False),
        first_s=section.integer("first_s", 0, DAY_S, default.first_s),
        every_s=section.integer("every_s", 0, DAY_S, default.every_s),
        only_improved=section.flag("only_improved", default=False),
        round_s=section.integer("round_s", 5, 3600, default.round_s),
        most_position=section.integer("most_position", 0, 10_000, 0),
        most_wait_s=section.integer("most_wait_s", 0, DAY_S, 0),
        comfort_s=comfort_s,
    )
    if 0 < announce.every_s < 10:  # the words themselves take that long
        section.fault("every_s", "must be 0 (only once) or at least 10")
    section.close()
    return announce


def _callback(section: Section) -> CallbackConfig:
    default = NO_CALLBACK
    callback = CallbackConfig(
        tries=section.integer("tries", 1, 20, default.tries),
        retry_s=section.integer("retry_s", 10, DAY_S, default.retry_s),
        ring_s=section.integer("ring_s", 5, 180, default.ring_s),
    )
    section.close()
    return callback


def _rule(section: Section) -> OverflowRule:
    if section.value("when") is None:
        section.fault("when", "is missing")
    when: When = section.choice("when", get_args(When), "waited")
    limit = 0
    if when != "no_agents":
        least = 0 if when == "length" else 1
        found = section.optional_integer("limit", least, DAY_S)
        if found is None and section.value("limit") is None:
            section.fault("limit", "is missing")
        limit = found or 0
    rule = OverflowRule(when, limit, _target(section))
    section.close()
    return rule


def _target(section: Section) -> Target:
    """`to: voicemail`, or `to: {queue: sales}`."""
    value = section.value("to")
    if value is None:
        return Target()
    if isinstance(value, str) and value in PLAIN:
        return Target(cast("TargetKind", value))
    if isinstance(value, dict) and len(value) == 1:
        [(kind, name)] = value.items()
        if kind in NAMED and isinstance(name, str) and name:
            if kind == "number" and not _NUMBER.fullmatch(name):
                section.fault("to.number", "must be a telephone number (digits, perhaps after '+')")
            return Target(cast("TargetKind", kind), name)
    named = ", ".join(f"{{{kind}: ...}}" for kind in NAMED)
    section.fault("to", f"must be one of {', '.join(PLAIN)}, {named} (quote numbers)")
    return Target()


def queue_faults(queues: Sequence[tuple[str, WaitingConfig]]) -> Iterator[tuple[int, str, str]]:
    """(index of the queue, key, what is wrong) of overflow that leads nowhere or back to where it comes from."""
    names = [name for name, _ in queues]
    for index, (name, waiting) in enumerate(queues):
        for number, rule in enumerate(waiting.overflow):
            if rule.target.kind != "queue":
                continue
            if rule.target.name not in names:
                yield index, f"overflow[{number}].to.queue", f"{rule.target.name!r} is no queue"
            elif rule.target.name == name:
                yield index, f"overflow[{number}].to.queue", "leads back to the queue itself"
