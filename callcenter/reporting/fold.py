"""The fold of a contact's events into its call detail record (docs/events.md, acd.md: Cdr is a projection).

Total: any events in any order give a record; what is missing stays None. Facts are kept by the id that they are
about (leg, entry, offer), so it does not matter which of several that happened at the same moment comes first. The
end of the call is the end of the caller's leg, as a packet capture shows it, and not the later moment when the last
session was given back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callcenter.kernel.events import Envelope
from callcenter.reporting.cdr import (
    Cdr,
    CdrDetail,
    CdrLeg,
    Instant,
    OfferMade,
    PathStep,
    QueueVisit,
    Recording,
    Result,
)

FAILURES = frozenset({"media_lost", "media_silent", "dialog_lost", "restart", "error"})
PEOPLE = frozenset({"agent", "phone", "outside"})
_MS = timedelta(milliseconds=1)

Row = dict[str, Any]
Data = Mapping[str, Any]


@dataclass(slots=True)
class _Facts:
    """What has been seen so far, as rows that become the record's dataclasses."""

    contact: str = ""
    leg: str | None = None
    head: Row = field(default_factory=dict)
    over: bool = False
    over_at: datetime | None = None
    instants: list[Instant] = field(default_factory=list)
    legs: dict[str, Row] = field(default_factory=dict)
    path: list[Row] = field(default_factory=list)
    queues: dict[str, Row] = field(default_factory=dict)
    offers: dict[str, Row] = field(default_factory=dict)
    recordings: dict[str, Row] = field(default_factory=dict)
    joined: dict[tuple[str, str], list[tuple[str, datetime]]] = field(default_factory=dict)
    talked: bool = False
    chosen: bool = False
    disposition: str | None = None
    outbound: bool = False

    @property
    def direction(self) -> str:
        if self.outbound:
            return "outbound"
        return "internal" if self.head.get("source_kind") == "phone" else "inbound"

    def note(self, name: str, at: datetime) -> None:
        self.instants.append(Instant(name, at))

    def row_of(self, data: Data) -> Row:
        id_ = _text(data, "leg")
        return self.legs.setdefault(id_, {"leg": id_, "role": "", "endpoint": ""})


def fold(events: Sequence[Envelope]) -> Cdr:
    """The record that `events` of one contact amount to; never raises on well-formed envelopes."""
    facts = _Facts()
    for event in events:
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            facts.contact = event.subject
            handler(facts, event.data, event.at)
    return _record(facts)


# -- one function for each type of event ------------------------------------------------------------


def _received(facts: _Facts, data: Data, at: datetime) -> None:
    facts.leg = _text(data, "leg")
    facts.head.update(source_kind=_text(data, "source_kind"), source=_text(data, "source"), started_at=at)
    facts.outbound = data.get("direction") == "outbound"
    facts.row_of(data).update(role="customer", endpoint=_text(data, "source"), invited_at=at)
    facts.note("received", at)


def _leg_invited(facts: _Facts, data: Data, at: datetime) -> None:
    facts.row_of(data).update(role=_text(data, "role"), endpoint=_text(data, "endpoint"), invited_at=at)


def _leg_ringing(facts: _Facts, data: Data, at: datetime) -> None:
    facts.row_of(data).setdefault("ringing_at", at)
    if _text(data, "leg") != facts.leg:
        # What the caller is told of it is no ringing of its own.
        facts.note("ringing", at)


def _leg_answered(facts: _Facts, data: Data, at: datetime) -> None:
    facts.row_of(data).setdefault("answered_at", at)
    facts.note("answered", at)


def _leg_ended(facts: _Facts, data: Data, at: datetime) -> None:
    facts.row_of(data).update(
        ended_at=at, by=data.get("by"), reason=data.get("reason"), status=_number(data, "status")
    )


def _media_opened(facts: _Facts, data: Data, _at: datetime) -> None:
    facts.row_of(data)["worker"] = data.get("worker")


def _media_closed(facts: _Facts, data: Data, _at: datetime) -> None:
    stats = data.get("stats")
    if isinstance(stats, Mapping):
        facts.row_of(data).update(
            received=_number(stats, "packets_received"),
            sent=_number(stats, "packets_sent"),
            lost=_number(stats, "packets_lost"),
            jitter_us=_number(stats, "jitter_us"),
            remote_lost=_number(stats, "remote_packets_lost"),
            remote_jitter_us=_number(stats, "remote_jitter_us"),
            largest_gap_ms=_number(stats, "largest_gap_ms"),
        )


def _joined(facts: _Facts, data: Data, at: datetime) -> None:
    facts.talked = True
    facts.joined.setdefault(_pair(data), []).append(("joined", at))
    facts.note("joined", at)


def _parted(facts: _Facts, data: Data, at: datetime) -> None:
    facts.joined.setdefault(_pair(data), []).append(("parted", at))
    facts.note("parted", at)


def _recording_started(facts: _Facts, data: Data, _at: datetime) -> None:
    file = _text(data, "recording")
    facts.recordings.setdefault(file, {"file": file})


def _recording_ended(facts: _Facts, data: Data, _at: datetime) -> None:
    row = _recording(facts, data)
    if row is not None:
        row["ms"] = _number(data, "duration_ms")
        row["truncated"] = bool(data.get("truncated")) or row.get("truncated", False)


def _recording_failed(facts: _Facts, data: Data, _at: datetime) -> None:
    row = _recording(facts, data)
    if row is not None:
        row["truncated"] = True


def _contact_ended(facts: _Facts, data: Data, at: datetime) -> None:
    facts.over = True
    facts.over_at = at
    facts.head.update(hung_up_by=data.get("by"), reason=data.get("reason"), sip_status=_number(data, "status"))


def _flow_started(facts: _Facts, data: Data, _at: datetime) -> None:
    if "flow" not in facts.head:
        version = data.get("version")
        facts.head.update(flow=_text(data, "flow"), flow_version=None if version is None else str(version))


def _node_entered(facts: _Facts, data: Data, at: datetime) -> None:
    facts.path.append({"node": _text(data, "node"), "kind": _text(data, "kind"), "at": at})


def _digits_collected(facts: _Facts, data: Data, _at: datetime) -> None:
    step = _step(facts, data)
    if step is not None:
        step["digits"] = (step.get("digits") or 0) + (_number(data, "count") or 0)
        step["masked"] = bool(data.get("masked"))


def _node_left(facts: _Facts, data: Data, _at: datetime) -> None:
    step = _step(facts, data)
    if step is not None:
        step["branch"] = _text(data, "branch")


def _entry_queued(facts: _Facts, data: Data, at: datetime) -> None:
    _visit(facts, data)["queued_at"] = at
    facts.note("queued", at)


def _entry_left(outcome: str | None) -> Callable[[_Facts, Data, datetime], None]:
    def handle(facts: _Facts, data: Data, _at: datetime) -> None:
        row = _visit(facts, data)
        row["outcome"] = outcome or data.get("outcome")
        row["wait_ms"] = _number(data, "wait_ms")
        if "agent" in data:
            row["agent"] = data["agent"]

    return handle


def _offer_created(facts: _Facts, data: Data, at: datetime) -> None:
    _offer(facts, data)["at"] = at
    facts.note("offered", at)


def _offer_over(outcome: str) -> Callable[[_Facts, Data, datetime], None]:
    def handle(facts: _Facts, data: Data, _at: datetime) -> None:
        row = _offer(facts, data)
        row["outcome"] = outcome
        row["reason"] = data.get("reason")

    return handle


def _customer_found(facts: _Facts, data: Data, _at: datetime) -> None:
    if not facts.chosen:
        facts.head["customer"] = data.get("customer")


def _customer_chosen(facts: _Facts, data: Data, _at: datetime) -> None:
    """An agent knows better than the number, whichever comes last."""
    facts.head["customer"] = data.get("customer")
    facts.chosen = True


def _disposition_chosen(facts: _Facts, data: Data, _at: datetime) -> None:
    facts.disposition = _text(data, "disposition")


_HANDLERS: Mapping[str, Callable[[_Facts, Data, datetime], None]] = {
    "calls.contact.received": _received,
    "calls.leg.invited": _leg_invited,
    "calls.leg.ringing": _leg_ringing,
    "calls.leg.answered": _leg_answered,
    "calls.leg.ended": _leg_ended,
    "calls.media.opened": _media_opened,
    "calls.media.closed": _media_closed,
    "calls.bridge.joined": _joined,
    "calls.bridge.parted": _parted,
    "calls.recording.started": _recording_started,
    "calls.recording.ended": _recording_ended,
    "calls.recording.failed": _recording_failed,
    "calls.contact.ended": _contact_ended,
    "ivr.flow.started": _flow_started,
    "ivr.node.entered": _node_entered,
    "ivr.digits.collected": _digits_collected,
    "ivr.node.left": _node_left,
    "acd.entry.queued": _entry_queued,
    "acd.entry.answered": _entry_left("answered"),
    "acd.entry.abandoned": _entry_left("abandoned"),
    "acd.entry.ended": _entry_left(None),
    "acd.offer.created": _offer_created,
    "acd.offer.accepted": _offer_over("accepted"),
    "acd.offer.declined": _offer_over("declined"),
    "acd.offer.timed_out": _offer_over("timed_out"),
    "acd.offer.rescinded": _offer_over("rescinded"),
    "acd.offer.failed": _offer_over("failed"),
    "acd.disposition.chosen": _disposition_chosen,
    "director.customer.found": _customer_found,
    "director.customer.chosen": _customer_chosen,
}


# -- the record out of the facts ------------------------------------------------------------


def _record(facts: _Facts) -> Cdr:
    caller = facts.legs.get(facts.leg or "", {})
    ended_at = caller.get("ended_at") or facts.over_at
    visit = next(reversed(facts.queues.values()), None)
    recordings = list(facts.recordings.values())
    if facts.over and ended_at is not None:
        facts.note("ended", ended_at)
        recordings = [row if "ms" in row else {**row, "truncated": True} for row in recordings]
    facts.instants.sort(key=lambda instant: instant.at)
    detail = CdrDetail(
        instants=tuple(facts.instants),
        legs=tuple(CdrLeg(**row) for row in facts.legs.values()),
        path=tuple(PathStep(**row) for row in facts.path),
        queues=tuple(QueueVisit(**row) for row in facts.queues.values()),
        offers=tuple(OfferMade(**row) for row in facts.offers.values()),
        recordings=tuple(Recording(**row) for row in recordings),
        disposition=facts.disposition,
    )
    return Cdr(
        facts.contact,
        **facts.head,
        direction=facts.direction,
        answered_at=caller.get("answered_at"),
        ended_at=ended_at if facts.over else None,
        queue=visit["queue"] if visit else None,
        agent=_agent(facts),
        wait_ms=visit.get("wait_ms") if visit else None,
        talk_ms=_talk_ms(facts, ended_at),
        result=_result(facts, caller, visit),
        detail=detail,
    )


def _result(facts: _Facts, caller: Row, visit: Row | None) -> Result:
    people = [row for row in facts.legs.values() if row["role"] in PEOPLE]
    answered = "answered_at" in caller
    if not facts.over:
        return Result.OPEN
    if facts.talked:
        return Result.ANSWERED
    if facts.head.get("reason") in FAILURES:
        return Result.FAILED
    if facts.outbound and not answered:
        return Result.UNANSWERED
    if _gave_up(facts, caller, visit, people):
        return Result.ABANDONED
    if people or visit or any(step["kind"] == "dial" for step in facts.path):
        return Result.UNANSWERED
    return Result.ANSWERED if answered else Result.REFUSED


def _gave_up(facts: _Facts, caller: Row, visit: Row | None, people: Sequence[Row]) -> bool:
    """Whether the caller left while something was still being tried for him, and not after it had come to nothing."""
    if visit is not None and visit.get("outcome") == "abandoned":
        return True
    if facts.head.get("hung_up_by") != "caller":
        return False
    left_at = caller.get("ended_at")
    unanswered = [row for row in people if "answered_at" not in row]
    ringing = any(left_at is None or row.get("ended_at", left_at) >= left_at for row in unanswered)
    return "answered_at" not in caller or ringing or (visit is not None and visit.get("outcome") is None)


def _agent(facts: _Facts) -> str | None:
    agents = [row["agent"] for row in facts.queues.values() if row.get("agent")]
    return str(agents[-1]) if agents else None


def _talk_ms(facts: _Facts, ended_at: datetime | None) -> int:
    """Time that two people were joined. A join that was never parted lasts to the call's end, if that is known."""
    total = timedelta()
    for changes in facts.joined.values():
        since: datetime | None = None
        for kind, at in sorted(changes, key=lambda change: change[1]):
            if kind == "joined":
                since = since or at
            elif since is not None:
                total += at - since
                since = None
        if since is not None and ended_at is not None and ended_at > since:
            total += ended_at - since
    return total // _MS


# -- reading data that should be there and may not ------------------------------------------------------------


def _text(data: Data, key: str) -> str:
    return str(data.get(key, ""))


def _number(data: Data, key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) else None


def _pair(data: Data) -> tuple[str, str]:
    return _text(data, "customer"), _text(data, "agent")


def _recording(facts: _Facts, data: Data) -> Row | None:
    """The recording that `data` names, else the newest that has not ended."""
    named = facts.recordings.get(_text(data, "recording"))
    return named or next((row for row in reversed(facts.recordings.values()) if "ms" not in row), None)


def _step(facts: _Facts, data: Data) -> Row | None:
    node = _text(data, "node")
    return next((step for step in reversed(facts.path) if step["node"] == node), None)


def _visit(facts: _Facts, data: Data) -> Row:
    entry = _text(data, "entry")
    row = facts.queues.setdefault(entry, {"entry": entry, "queue": ""})
    if "queue" in data:
        row["queue"] = _text(data, "queue")
    return row


def _offer(facts: _Facts, data: Data) -> Row:
    offer = _text(data, "offer")
    row = facts.offers.setdefault(offer, {"offer": offer, "agent": ""})
    if "agent" in data:
        row["agent"] = _text(data, "agent")
    return row
