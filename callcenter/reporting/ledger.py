"""Keeps the books of queues and agents: live events in, changed visits and spans and lines of the queue_log out.

Pure but for its own memory, which `open` holds and the tables hold too: a new ledger goes on from the open rows. What
an event leaves out is None, and an event about something unknown (begun before this version) changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from callcenter.kernel.events import Envelope
from callcenter.reporting import queue_log as log
from callcenter.reporting.visits import OpenThings, Span, Terms, Visit

_MS = timedelta(milliseconds=1)
_MISSES = frozenset({"timed_out", "declined", "failed"})


class Ledger:
    """One for each journal. `take` hands out what has changed since the last time."""

    def __init__(self, terms: Terms, open_: OpenThings | None = None, *, start: int = 0) -> None:
        """`start` is the number of the event that loaded the first rules of this process."""
        self._terms = terms
        self._start = start
        self.open = open_ or OpenThings()
        self._of_contact: dict[str, dict[str, Visit]] = {}
        self._waiting: dict[str, dict[str, Visit]] = {}
        self._offers: dict[str, tuple[str, str]] = {}
        self._members = terms.members()
        self._skilled: dict[str, Mapping[str, int]] = {}
        self._visits: dict[str, Visit] = {}
        self._spans: dict[tuple[str, datetime, str], Span] = {}
        self._lines: list[log.Line] = []
        for visit in sorted(self.open.visits.values(), key=lambda one: one.queued_at):
            self._index(visit)

    def handle(self, event: Envelope) -> None:
        """Enter `event`. Never raises on a well-formed envelope."""
        handler = HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event, event.data)

    def take(self) -> tuple[list[Visit], list[Span], list[log.Line]]:
        """What has changed: rows to write, and lines to add."""
        taken = list(self._visits.values()), list(self._spans.values()), self._lines
        self._visits, self._spans, self._lines = {}, {}, []
        for visit in taken[0]:
            if not visit.is_open and visit.logged:
                self._forget(visit)
        return taken

    # -- callers --------------------------------------------------------------------------------------------------

    def _queued(self, event: Envelope, data: Mapping[str, object]) -> None:
        entry, queue = _text(data, "entry"), _text(data, "queue")
        terms = self._terms.of(queue)
        skills = data.get("skills")
        visit = Visit(
            entry=entry,
            contact=event.subject,
            queue=queue,
            queued_at=event.at,
            skills=_names(skills) if isinstance(skills, list) else self._terms.skills(queue),
            threshold_s=terms.threshold_s,
            short_abandon_s=terms.short_abandon_s,
            position=_number(data, "position") or len(self._waiting.get(queue, ())) + 1,
            callback=data.get("callback") is True,
            since=_earlier(event),
        )
        self.open.visits[entry] = visit
        self._index(visit)
        self._visits[entry] = visit
        self._lines.append(log.entered(visit))

    def _answered(self, event: Envelope, data: Mapping[str, object]) -> None:
        visit = self._leave(event, data, "answered")
        if visit is None:
            return
        visit.agent = _text(data, "agent")
        span = self.open.spans.get(visit.agent)
        rang_ms = (event.at - span.since) // _MS if span is not None and span.state == "reserved" else 0
        self._lines.append(log.connected(visit, event.at, rang_ms))

    def _abandoned(self, event: Envelope, data: Mapping[str, object]) -> None:
        self._ended(event, {**data, "outcome": "abandoned"})

    def _ended(self, event: Envelope, data: Mapping[str, object]) -> None:
        waiting = self.open.visits.get(_text(data, "entry"))
        position = _number(data, "position") or (0 if waiting is None else self._position(waiting))
        visit = self._leave(event, data, _text(data, "outcome"))
        if visit is not None:
            key = data.get("key")
            reason = _text(data, "reason")
            key = None if key is None else str(key)
            self._lines.append(log.left(visit, event.at, position, reason=reason, key=key))
            visit.logged = True

    def _leave(self, event: Envelope, data: Mapping[str, object], outcome: str) -> Visit | None:
        visit = self.open.visits.get(_text(data, "entry"))
        if visit is None or visit.left_at is not None:
            return None
        self._waiting[visit.queue].pop(visit.entry, None)
        visit.left_at = event.at
        visit.outcome = outcome
        wait_ms = _number(data, "wait_ms")
        visit.wait_ms = (event.at - visit.queued_at) // _MS if wait_ms is None else wait_ms
        self._visits[visit.entry] = visit
        return visit

    def _position(self, visit: Visit) -> int:
        for position, entry in enumerate(self._waiting.get(visit.queue, ()), 1):
            if entry == visit.entry:
                return position
        return visit.position

    # -- calls ----------------------------------------------------------------------------------------------------

    def _leg_invited(self, event: Envelope, data: Mapping[str, object]) -> None:
        if data.get("role") == "agent":
            for visit in self._live(event.subject):
                if visit.left_at is None or visit.channel is None:
                    self._touch(visit).channel = _text(data, "leg")

    def _joined(self, event: Envelope, data: Mapping[str, object]) -> None:
        for visit in self._live(event.subject):
            if visit.outcome == "answered" and visit.channel != data.get("agent"):
                self._touch(visit).channel = _text(data, "agent")

    def _leg_ended(self, event: Envelope, data: Mapping[str, object]) -> None:
        for visit in self._live(event.subject):
            if visit.outcome != "answered" or visit.ended_by is not None:
                continue
            if data.get("leg") == visit.channel:
                self._touch(visit).ended_by = "agent"
            elif data.get("by") != "us":  # ours are the legs of other agents who rang
                self._touch(visit).ended_by = "caller"

    def _held(self, event: Envelope, _data: Mapping[str, object]) -> None:
        span = self._talking(event.subject)
        if span is not None and span.held_since is None:
            span.held_since = event.at
            self._enter(span)

    def _resumed(self, event: Envelope, _data: Mapping[str, object]) -> None:
        span = self._talking(event.subject)
        if span is not None and span.held_since is not None:
            span.hold_ms += (event.at - span.held_since) // _MS
            span.held_since = None
            self._enter(span)

    def _transferred(self, event: Envelope, data: Mapping[str, object]) -> None:
        for visit in self._live(event.subject):
            if visit.agent == data.get("agent") and not visit.logged:
                kind, target = _text(data, "kind"), _text(data, "target")
                attended = data.get("attended") is True
                line = log.transferred(visit, event.at, kind=kind, target=target, attended=attended)
                self._lines.append(line)
                self._touch(visit).logged = True

    def _talking(self, contact: str) -> Span | None:
        for visit in self._live(contact):
            span = self.open.spans.get(visit.agent or "")
            if span is not None and span.state == "on_contact" and span.contact == contact:
                return span
        return None

    # -- agents ---------------------------------------------------------------------------------------------------

    def _offered(self, event: Envelope, data: Mapping[str, object]) -> None:
        self._offers[_text(data, "agent")] = (event.subject, _text(data, "queue"))

    def _offer_over(self, event: Envelope, data: Mapping[str, object]) -> None:
        span = self.open.spans.get(_text(data, "agent"))
        if span is None or span.state != "reserved" or span.contact != event.subject:
            return
        result = event.type.rpartition(".")[2]
        span.result = result
        self._enter(span)
        if result != "accepted":
            rang_ms = (event.at - span.since) // _MS
            cancelled = result not in _MISSES
            line = log.not_taken(event.subject, span.queue or "", span.agent, event.at, rang_ms, cancelled=cancelled)
            self._lines.append(line)

    def _state_changed(self, event: Envelope, data: Mapping[str, object]) -> None:
        agent, state = event.subject, _text(data, "state")
        before = self.open.spans.get(agent)
        reason, contact = _optional(data, "reason"), _optional(data, "contact")
        queue = self._queue_of(agent, contact)
        if before is not None and (before.state, before.reason, before.contact) == (state, reason, contact):
            return  # a wrap-up that is extended, a rest that is over
        span = Span(agent, event.at, state, reason, contact, queue)
        if before is not None:
            span.paused = before.paused
            self._close(before, span, event.at)
        self._tell_member(before, span, event.at)
        if state == "logged_out":
            self.open.spans.pop(agent, None)
            return
        self.open.spans[agent] = span
        self._enter(span)

    def _close(self, span: Span, after: Span, now: datetime) -> None:
        if span.held_since is not None:
            span.hold_ms += (now - span.held_since) // _MS
            span.held_since = None
        span.until = now
        self._enter(span)
        visit = self._handled_by(span)
        if visit is None:
            return
        lasted_ms = (now - span.since) // _MS
        if span.state == "wrap_up":
            visit.wrap_ms += lasted_ms
        else:
            visit.talk_ms += lasted_ms - span.hold_ms
            visit.hold_ms += span.hold_ms
            if not visit.logged:
                self._lines.append(log.completed(visit, now))
                visit.logged = True
        if (after.state, after.contact) != ("wrap_up", visit.contact):
            visit.handled_at = now
        self._touch(visit)

    def _handled_by(self, span: Span) -> Visit | None:
        if span.contact is None or span.state not in ("on_contact", "wrap_up"):
            return None
        answered = (visit for visit in self._live(span.contact) if visit.agent == span.agent)
        return next((visit for visit in answered if visit.handled_at is None), None)

    def _queue_of(self, agent: str, contact: str | None) -> str | None:
        if contact is None:
            return None
        before = self.open.spans.get(agent)
        if before is not None and before.contact == contact:
            return before.queue
        offered = self._offers.pop(agent, None)
        return offered[1] if offered is not None and offered[0] == contact else None

    # -- members of the queues ------------------------------------------------------------------------------------

    def _tell_member(self, before: Span | None, span: Span, at: datetime) -> None:
        queues = self._serves(span.agent)
        there = span.state != "logged_out"
        if there and before is None:
            self._tell_all("ADDMEMBER", at, queues, span.agent)
        if span.state == "not_ready":
            self._tell_all("PAUSE", at, queues, span.agent, span.reason or "")
            span.paused = True
        elif span.paused and span.state in ("available", "reserved"):
            self._tell_all("UNPAUSE", at, queues, span.agent)
            span.paused = False
        if not there and before is not None:
            self._tell_all("REMOVEMEMBER", at, queues, span.agent)

    def _tell_all(self, what: str, at: datetime, queues: Iterable[str], agent: str, *params: str | int) -> None:
        self._lines += [log.member(what, at, queue, agent, *params) for queue in queues]

    def _policy_loaded(self, event: Envelope, _data: Mapping[str, object]) -> None:
        """The first rules of a process are its start, later ones a reload; both may change who serves what."""
        self._lines.append(log.Line(event.at, "QUEUESTART" if event.seq == self._start else "CONFIGRELOAD"))
        before, members = self._members, self._terms.members()
        if members is before:
            return
        self._members = members
        for agent in sorted(self.open.spans.keys() - self._skilled.keys()):
            self._tell_moved(agent, before.get(agent, {}), members.get(agent, {}), event.at)

    def _skills_changed(self, event: Envelope, data: Mapping[str, object]) -> None:
        """A supervisor says what the agent can do, or (null) that the configuration says it again."""
        agent, skills = event.subject, data.get("skills")
        had = self._serves(agent)
        if isinstance(skills, list):
            levels = {str(each[0]): int(each[1]) for each in skills if isinstance(each, list) and len(each) == 2}
            self._skilled[agent] = self._terms.serves(agent, levels)
        else:
            self._skilled.pop(agent, None)
        if agent in self.open.spans:
            self._tell_moved(agent, had, self._serves(agent), event.at)

    def _serves(self, agent: str) -> Mapping[str, int]:
        # Skills that serve no queue at all are skills too.
        return self._skilled[agent] if agent in self._skilled else self._members.get(agent, {})

    def _tell_moved(self, agent: str, had: Mapping[str, int], has: Mapping[str, int], at: datetime) -> None:
        self._tell_all("REMOVEMEMBER", at, [queue for queue in had if queue not in has], agent)
        self._tell_all("ADDMEMBER", at, [queue for queue in has if queue not in had], agent)
        for queue in (queue for queue in has if had.get(queue, has[queue]) != has[queue]):
            self._lines.append(log.member("PENALTY", at, queue, agent, has[queue]))

    # -- memory ---------------------------------------------------------------------------------------------------

    def _index(self, visit: Visit) -> None:
        self._of_contact.setdefault(visit.contact, {})[visit.entry] = visit
        if visit.left_at is None:
            self._waiting.setdefault(visit.queue, {})[visit.entry] = visit

    def _live(self, contact: str) -> tuple[Visit, ...]:
        """The visits of `contact` of which more may be told, the newest first."""
        found = self._of_contact.get(contact)
        return () if found is None else tuple(visit for visit in reversed(found.values()) if visit.is_open)

    def _enter(self, span: Span) -> None:
        self._spans[span.agent, span.since, span.state] = span

    def _touch(self, visit: Visit) -> Visit:
        self._visits[visit.entry] = visit
        return visit

    def _forget(self, visit: Visit) -> None:
        self.open.visits.pop(visit.entry, None)
        of_contact = self._of_contact.get(visit.contact, {})
        of_contact.pop(visit.entry, None)
        if not of_contact:
            self._of_contact.pop(visit.contact, None)


HANDLERS: Mapping[str, Callable[[Ledger, Envelope, Mapping[str, object]], None]] = {
    "acd.entry.queued": Ledger._queued,
    "acd.entry.answered": Ledger._answered,
    "acd.entry.abandoned": Ledger._abandoned,
    "acd.entry.ended": Ledger._ended,
    "acd.offer.created": Ledger._offered,
    "acd.offer.accepted": Ledger._offer_over,
    "acd.offer.declined": Ledger._offer_over,
    "acd.offer.timed_out": Ledger._offer_over,
    "acd.offer.rescinded": Ledger._offer_over,
    "acd.offer.failed": Ledger._offer_over,
    "acd.agent.state_changed": Ledger._state_changed,
    "acd.agent.skills_changed": Ledger._skills_changed,
    "acd.policy.loaded": Ledger._policy_loaded,
    "calls.leg.invited": Ledger._leg_invited,
    "calls.leg.ended": Ledger._leg_ended,
    "calls.bridge.joined": Ledger._joined,
    "calls.bridge.held": Ledger._held,
    "calls.bridge.resumed": Ledger._resumed,
    "director.contact.transferred": Ledger._transferred,
}


def _earlier(event: Envelope) -> datetime | None:
    """Since when he waits, where that is before he came."""
    since = event.moment("since")
    return since if since is not None and since < event.at else None


def _text(data: Mapping[str, object], key: str) -> str:
    return str(data.get(key, ""))


def _optional(data: Mapping[str, object], key: str) -> str | None:
    value = data.get(key)
    return None if value is None else str(value)


def _number(data: Mapping[str, object], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) else None


def _names(skills: list[object]) -> tuple[str, ...]:
    """Names of skills, from names or from (name, level)."""
    return tuple(sorted({str(each[0]) if isinstance(each, list) and each else str(each) for each in skills}))
