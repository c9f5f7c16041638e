"""The story of a call's waits and offers: as a document for the API, and in words for the command line."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from acd.why import Step, Story
from callcenter.kernel.codec import decode, encode

REASONS: Mapping[str, str] = {
    "preferred": "for the agent whom he is to have",
    "nobody_qualified": "no agent of the policy has what he needs",
    "nobody_staffed": "nobody who could serve is signed in",
    "kept_in_reserve": "who is free is kept in reserve for others",
    "excluded": "who is free has let him go and is passed over for a while",
    "all_busy": "everybody who could serve is busy",
    "some_busy": "whoever could serve is busy or not available",
    "all_away": "whoever could serve is signed in and not available",
}
STANDINGS: Mapping[str, str] = {
    "chosen": "chosen",
    "later_in_order": "later in order",
    "excluded": "he let this caller go",
    "unqualified": "not qualified",
    "not_preferred": "not the agent whom the caller is to have",
    "logged_out": "signed out",
    "not_ready": "not ready",
    "reserved": "offered another caller",
    "on_contact": "on a contact",
    "on_other_contact": "on contacts of another channel",
    "wrap_up": "in wrap-up",
    "rests": "resting, his phone could not be rung",
    "phone_away": "his phone is not registered",
    "console_away": "his console is not connected",
}
MOST_AGENTS = 40


def document(story: Story) -> dict[str, Any]:
    """Plain JSON values; `replayed`: the log gave the same decisions all the way."""
    found = {
        "contact": story.contact,
        "steps": [{"at": step.at, "kind": step.kind, **step.data} for step in story.steps],
        "replayed": story.divergence is None,
        "divergence": story.divergence,
    }
    return decode(encode(found), dict[str, Any])


def words(story: Story, zone: str) -> str:
    """The story, times of day in `zone`."""
    clock = _Clock(ZoneInfo(zone))
    lines = [
        f"call {story.contact}" + (f", {story.steps[0].at.astimezone(clock.zone):%Y-%m-%d}" if story.steps else "")
    ]
    for step in story.steps:
        first, *rest = _step(step, clock)
        lines.append(f"{clock.exactly(step.at)}  {first}")
        lines += [f"{'':14}{line}" for line in rest]
    if story.divergence is not None:
        lines.append(
            f"from journal number {story.divergence.seq} on the log does not replay with this program, the story "
            "ends there: see `callcenter acd replay`"
        )
    return "\n".join(lines)


class _Clock:
    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def exactly(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M:%S}.{at.microsecond // 1000:03}"

    def __call__(self, at: object) -> str:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return f"{moment.astimezone(self.zone):%H:%M:%S}" if isinstance(moment, datetime) else "?"


def _step(step: Step, clock: _Clock) -> list[str]:
    data: Mapping[str, Any] = step.data
    match step.kind:
        case "entry.queued":
            return [_queued(data, clock)]
        case "entry.waits":
            return _waits(data, clock)
        case "offer.created":
            return _offered(data, clock)
        case "agent.taken":
            why = "who stands before him" if not data["by_choice"] else "though he stands behind"
            return [f"{data['agent']} is offered to call {data['contact']} of {data['queue']}, {why}"]
        case "offer.accepted" | "offer.declined" | "offer.timed_out":
            said = {"accepted": "answers", "declined": "declines", "timed_out": "does not answer"}
            return [f"{data['agent']} {said[step.kind.partition('.')[2]]}"]
        case "offer.rescinded" | "offer.failed":
            what = "is taken back" if step.kind == "offer.rescinded" else "fails"
            return [f"the offer to {data['agent']} {what} ({data['reason']})"]
        case "policy.loaded":
            return [f"the policy changes to {data['version']}"]
    return [_ended(step.kind, data)]


def _ended(kind: str, data: Mapping[str, Any]) -> str:
    match kind:
        case "entry.requeued":
            return f"waits again in his place, position {data['position']}"
        case "entry.answered":
            return f"answered by {data['agent']} after {data['wait_ms'] / 1000:.1f} s"
        case "entry.abandoned":
            return f"hangs up after {data['wait_ms'] / 1000:.1f} s"
        case "entry.ended":
            reason = f" ({data['reason']})" if data.get("reason") else ""
            return f"leaves the queue: {data['outcome']}{reason} after {data['wait_ms'] / 1000:.1f} s"
        case "entry.widened":
            return f"ring {data['ring']}: more agents may serve from now on"
        case "entry.announced":
            place = f"position {data['position']}" if data["position"] is not None else ""
            wait = f"a wait of {data['wait_s']} s" if data["wait_s"] is not None else ""
            return f"is told {' and '.join(part for part in (place, wait) if part) or 'that he is not forgotten'}"
        case "restarted":
            return "the application is started again; he keeps his place"
    rest = ", ".join(f"{name} {value}" for name, value in data.items() if value is not None and name != "entry")
    return f"{kind.replace('.', ' ').replace('_', ' ')}: {rest}"


def _queued(data: Mapping[str, Any], clock: _Clock) -> str:
    needs = needs_text(data.get("needs", ())) or "nothing special"
    parts = [f"enters the queue {data['queue']}, needs {needs}", f"priority {data.get('priority', '?')}"]
    if data.get("enqueued_at") is not None:
        parts.append(f"waiting since {clock(data['enqueued_at'])}")
    if data.get("preferred"):
        passed = " and ".join(data.get("instead_of", ()))
        parts.append(f"is to have {data['preferred']}" + (f", as {passed} cannot be waited for" if passed else ""))
    return ", ".join([*parts, f"policy {data.get('policy', '?')}"])


def _waits(data: Mapping[str, Any], clock: _Clock) -> list[str]:
    until = "still" if data["until"] is None else f"until {clock(data['until'])}"
    counts = ", ".join(f"{count} {STANDINGS.get(reason, reason)}" for reason, count in data["counts"].items())
    reason = REASONS.get(str(data["reason"]), str(data["reason"]))
    lines = [f"waits {until} at position {data['position']}: {reason}" + (f" ({counts})" if counts else "")]
    lines += [f"{each['agent']} is passed over until {clock(each['until'])}" for each in data["excluded"]]
    if data["preferred"]:
        lines.append(f"for {data['preferred']} only" + _until(data["widens_at"], clock))
    elif data["widens_at"] is not None:
        lines.append(f"ring {data['ring']}, more agents may serve from {clock(data['widens_at'])}")
    return lines


def _until(at: object, clock: _Clock) -> str:
    return "" if at is None else f" until {clock(at)}"


def _offered(data: Mapping[str, Any], clock: _Clock) -> list[str]:
    decision = data["decision"]
    how = decision.get("strategy", "longest_idle").replace("_", " ")
    lines = [
        f"offered to {data['agent']} until {clock(data['ring_until'])} "
        f"({how}; input {decision['input']}, policy {decision['policy']})"
    ]
    agents: Sequence[Mapping[str, Any]] = data.get("agents", ())
    lines += [f"{each['agent']}: {_standing(each, clock)}" for each in agents[:MOST_AGENTS]]
    if len(agents) > MOST_AGENTS:
        lines.append(f"and {len(agents) - MOST_AGENTS} more: --json tells them all")
    return lines


def _standing(agent: Mapping[str, Any], clock: _Clock) -> str:
    reason = str(agent["reason"])
    parts = [STANDINGS.get(reason, reason)]
    if reason == "not_ready" and agent["detail"]:
        parts[0] += f" ({agent['detail']})"
    if reason not in {"chosen", "later_in_order", "excluded", "unqualified", "not_preferred"}:
        parts[0] += f" since {clock(agent['since'])}" if agent["since"] is not None else ""
    if agent["until"] is not None:
        parts.append(f"until {clock(agent['until'])}")
    if agent["lacks"]:
        parts.append(f"lacks {needs_text(agent['lacks'])}")
    if agent["excluded_until"] is not None:
        parts.append(f"passed over until {clock(agent['excluded_until'])}")
    for name, value in agent["order"].items():
        shown = clock(value) if isinstance(value, datetime) or name.endswith(("_at", "_since")) else value
        parts.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(parts)


def needs_text(groups: Iterable[Iterable[Mapping[str, Any]]]) -> str:
    """`billing >= 2 and (chinese >= 1 or english >= 3)`; a team is named as one."""
    texts = [[_need(each["skill"], each["level"]) for each in group] for group in groups]
    return " and ".join(each[0] if len(each) == 1 else f"({' or '.join(each)})" for each in texts)


def _need(skill: str, level: int) -> str:
    return f"team {skill[1:]}" if skill.startswith("@") else f"{skill} >= {level}"
