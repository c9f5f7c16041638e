"""What happens to callers while they wait: what they are told, when they are sent elsewhere, what is learned."""

from collections.abc import Callable
from datetime import datetime

from acd import commands, events
from acd.machines import entry as entry_machine
from acd.machines.care import Care, Outlook
from acd.machines.entry import QueueEntry
from acd.model import Outcome, QueuePolicy, milliseconds
from acd.policies.expected_wait import Estimate
from acd.policies.overflow import Crowd, OverflowRule, Target, leaves_at, on_arrival, on_empty
from acd.policies.rings import last_ring
from acd.state import State
from acd.steps import entries


def arrive(state: State, now: datetime) -> None:
    """Callers have begun to wait: turned away at once where their queue's rules say so, else cared for."""
    for id_ in state.queued:
        if not state.entries[id_].callback_s:
            _arrive(state, state.entries[id_], now)


def _arrive(state: State, entry: QueueEntry, now: datetime) -> None:
    queue = state.queues[entry.queue]
    rule = _turned_away(state, queue, entry)
    if rule is not None:
        _overflow(state, entry.id, rule, now)
        return
    care = Care.begun(entry.id, queue, now)
    if care.next_deadline is not None:
        state.put_care(care)


def _turned_away(state: State, queue: QueuePolicy, entry: QueueEntry) -> OverflowRule | None:
    if not queue.overflow or state.matcher.agent_for(entry.spot, (), ()) is not None:
        return None
    ahead = state.waiting[entry.queue] - 1
    estimate = _estimate(state, entry.queue)
    raw = estimate.raw(ahead + 1)
    expected = None if raw is None else estimate.corrected(raw)
    return on_arrival(queue.overflow, Crowd(ahead, expected, not _stranded(state, queue, entry)))


def _overflow(state: State, id_: str, rule: OverflowRule, now: datetime) -> None:
    outcome: Outcome = "callback" if rule.target.kind == "callback" else "overflowed"
    target = None if rule.target.kind == "branch" else rule.target.text
    entries.end_entry(state, id_, entry_machine.Withdrawn(outcome, rule.when, target), "withdrawn", now)


def lapse(state: State, id_: str, now: datetime) -> None:
    """Something is due for one who waits."""
    care, entry = state.cares[id_], state.entries[id_]
    queue = state.queues.get(entry.queue)
    if queue is None:
        state.drop_care(id_)
        return
    if care.leave_at is not None and care.leave_at <= now:
        leave = leaves_at(queue.overflow, care.joined_at)
        _overflow(state, id_, OverflowRule("waited") if leave is None else leave[1], now)
        return
    care, words = care.speak(queue, _outlook(state, entry), now)
    state.put_care(care)
    if words is not None:
        told = words.told
        state.told.append(
            events.EntryAnnounced(entry.contact, id_, entry.queue, told.position, told.wait_s, words.comfort)
        )


def _outlook(state: State, entry: QueueEntry) -> Outlook:
    position = state.matcher.position(entry.queue, entry.place)
    estimate = _estimate(state, entry.queue)
    raw = estimate.raw(position)
    return Outlook(position, None if raw is None else estimate.corrected(raw), raw)


def _estimate(state: State, queue: str) -> Estimate:
    return state.estimates.get(queue) or Estimate(queue)


def settle(state: State, now: datetime) -> None:
    """Learn from those who have left a queue in this input, and compare what they were told.

    Who was offered to somebody at once has not waited: he says nothing of how long others will.
    """
    queued, left = state.queued, state.left
    state.queued, state.left = [], []
    for id_ in queued:
        if state.waits(id_):
            queue = state.entries[id_].queue
            state.put_estimate(_estimate(state, queue).joined(now))
    for entry in left:
        estimate = _estimate(state, entry.queue).moved(now, left=state.waiting[entry.queue])
        care = state.cares.get(entry.id)
        if care is not None:
            if entry.state == "answered":
                for promise in care.promises:
                    estimate = estimate.settled(promise, now)
            _report(state, entry, care, now)
            state.drop_care(entry.id)
        state.put_estimate(estimate)


def _report(state: State, entry: QueueEntry, care: Care, now: datetime) -> None:
    if not care.promises:
        return
    answered = entry.state == "answered"
    since, end = milliseconds(entry.enqueued_at), milliseconds(now)
    settled = tuple(
        events.SettledPromise(
            milliseconds(promise.at) - since, promise.told_ms, end - milliseconds(promise.at) if answered else None
        )
        for promise in care.promises
    )
    state.told.append(events.PromisesSettled(entry.contact, entry.id, entry.queue, answered, settled))


def deserted(state: State, now: datetime) -> None:
    """The last agent of some kind has signed out: whoever nobody could serve now leaves, where his queue says so."""
    state.deserted = False
    for name in sorted(state.queues):
        rule = on_empty(state.queues[name].overflow)
        if rule is None:
            continue
        stranded = [
            entry
            for entry in state.entries.values()
            if entry.queue == name and entry.state == "waiting" and _stranded(state, state.queues[name], entry)
        ]
        for entry in sorted(stranded, key=lambda each: each.place):
            _overflow(state, entry.id, rule, now)


def _stranded(state: State, queue: QueuePolicy, entry: QueueEntry) -> bool:
    """Whether nobody is signed in who could serve him in any ring."""
    widest = state.need_in(queue, last_ring(queue), entry.asked, entry.requires)
    return not entry.callback_s and not state.staffing.can_serve(widest)


def terms_changed(state: State, now: datetime) -> None:
    """A new policy: everybody is cared for as it says."""
    for id_, entry in sorted(state.entries.items()):
        queue = state.queues.get(entry.queue)
        if queue is None or entry.callback_s:
            continue
        before = state.cares.get(id_) or Care(id_, now)
        care = before.under(queue)
        if care.next_deadline is not None or care.promises or care.announced:
            state.put_care(care)
        elif id_ in state.cares:
            state.drop_care(id_)


# -- what supervisors do ------------------------------------------------------------------------------------------


def move(state: State, input_: commands.EntryMoved, now: datetime) -> None:
    """He leaves this queue for that one; whoever carries him there gives him the time and priority that he has."""
    entry = state.entries.get(input_.entry)
    if entry is None:
        state.refuse(input_.entry, input_, "no_such_entry")
    elif input_.queue not in state.queues:
        state.refuse(input_.entry, input_, "unknown_queue")
    elif input_.queue == entry.queue:
        state.refuse(input_.entry, input_, "already_there")
    else:
        target = Target("queue", input_.queue).text
        moved = entry_machine.Withdrawn("transferred", "moved", target)
        entries.end_entry(state, entry.id, moved, "withdrawn", now)


def reprioritise(state: State, input_: commands.EntryReprioritised, now: datetime) -> None:
    entry = state.entries.get(input_.entry)
    if entry is None:
        state.refuse(input_.entry, input_, "no_such_entry")
    elif not 1 <= input_.priority <= 99:
        state.refuse(input_.entry, input_, "bad_priority")
    elif input_.priority != entry.priority:
        state.move_entry(entry.id, entry_machine.Reprioritised(input_.priority, state.policy.settings), now)
        changed = state.entries[entry.id]
        position = state.matcher.position(changed.queue, changed.place)
        state.told.append(
            events.EntryReprioritised(changed.contact, changed.id, changed.queue, changed.priority, position)
        )
        state.arrived.append(entry.id)


def cancel(state: State, input_: commands.EntryCancelled, now: datetime) -> None:
    if input_.entry in state.entries:
        cancelled = entry_machine.Withdrawn("failed", "cancelled")
        entries.end_entry(state, input_.entry, cancelled, "withdrawn", now)
    else:
        state.refuse(input_.entry, input_, "no_such_entry")


HANDLERS: dict[type, Callable[..., None]] = {
    commands.EntryMoved: move,
    commands.EntryReprioritised: reprioritise,
    commands.EntryCancelled: cancel,
}
