"""Whom a caller waits for as time goes on: one agent at first, then ring by ring more people."""

from datetime import datetime, timedelta

from acd import commands
from acd.machines import entry as entry_machine
from acd.machines.entry import QueueEntry, Stage
from acd.machines.frozen import replaced
from acd.model import QueuePolicy, Requirements, Skills
from acd.policies.rings import last_ring, seconds_of
from acd.policies.skills import meets, of_any_team
from acd.state import State

Wants = tuple[Skills, Requirements]


def first_stage(
    state: State, queue: QueuePolicy, input_: commands.EntryQueued, now: datetime
) -> tuple[Stage, str | None]:
    """Where a caller begins, and whom he is to have: the first with whom there is a point in waiting for him."""
    seconds = queue.preferred_s if input_.preferred_s is None else input_.preferred_s
    if input_.preferred is not None and seconds > 0:
        need = of_any_team(state.stage_in(queue, 1, input_.skills, input_.requires).needs)
        for agent in (input_.preferred, *input_.or_preferred):
            if state.can_be_waited_for(agent) and meets(state.matcher.has(agent), need):
                return Stage(0, need, 0, now + timedelta(seconds=seconds)), agent
    return _stage(state, queue, 1, (input_.skills, input_.requires), now), input_.preferred


def stage_under(state: State, entry: QueueEntry, queue: QueuePolicy, now: datetime) -> Stage:
    """The stage of `entry` under another policy: its ring, with what is left of the ring's time."""
    stage = entry.stage
    if stage.ring == 0:
        need = of_any_team(state.stage_in(queue, 1, entry.asked, entry.requires).needs)
        known = state.known.get(entry.preferred or "")
        if known is not None and meets(state.profile_of(known), need):
            return replaced(stage, needs=need)
    again = _stage(state, queue, min(max(stage.ring, 1), last_ring(queue)), (entry.asked, entry.requires), now)
    if again.ring == stage.ring and again.until is not None and stage.until is not None:
        return replaced(again, until=stage.until)
    return again


def widen(state: State, id_: str, now: datetime) -> None:
    """On to the next ring that somebody staffs; when there is none, to the next."""
    entry = state.entries[id_]
    queue = state.queues.get(entry.queue)
    ring = entry.stage.ring + 1
    if queue is None or ring > last_ring(queue):
        stage = replaced(entry.stage, until=None, ring=max(entry.stage.ring, 1))
    else:
        stage = _stage(state, queue, ring, (entry.asked, entry.requires), now)
    state.move_entry(id_, entry_machine.Widened(stage), now)


def widen_if_due(state: State, id_: str, now: datetime) -> None:
    """After an offer or in time: who has waited too long in his ring, or waits for one in vain, goes on."""
    entry = state.entries.get(id_)
    if entry is None or entry.state != "waiting":
        return
    until = entry.stage.until
    one = entry.spot[3]
    # While it rang for him nobody waited for him, so that nobody was told when his phone went.
    in_vain = one is not None and (entry.excludes(one) or not state.can_be_waited_for(one))
    if in_vain or (until is not None and until <= now):
        widen(state, id_, now)
        return
    queue = state.queues.get(entry.queue)
    if queue is not None and entry.stage.ring and last_ring(queue) > 1:
        _skip(state, queue, id_, now)


def restaffed(state: State, now: datetime) -> None:
    """Agents have come or gone: nobody waits on in a ring that nobody staffs, or for one who has left."""
    gone, state.gone = state.gone, []
    for agent in gone:
        there, has = state.can_be_waited_for(agent), state.matcher.has(agent)
        for id_ in state.matcher.waiting_for(agent):
            if not there or not meets(has, state.entries[id_].need):
                widen(state, id_, now)
    if not state.restaffed:
        return
    state.restaffed = False
    for name in sorted(state.queues):
        queue = state.queues[name]
        if last_ring(queue) == 1:
            continue
        for need, entries in list(state.matcher.waiting_at(name)):
            for id_ in entries if not state.staffing.can_serve(need) else ():
                _skip(state, queue, id_, now)


def _skip(state: State, queue: QueuePolicy, id_: str, now: datetime) -> None:
    """Out of a ring that nobody staffs, if somebody staffs a later one."""
    entry = state.entries[id_]
    stage = _stage(state, queue, entry.stage.ring, (entry.asked, entry.requires), now)
    if stage.ring != entry.stage.ring:
        state.move_entry(id_, entry_machine.Widened(stage), now)


def _stage(state: State, queue: QueuePolicy, ring: int, wants: Wants, now: datetime) -> Stage:
    """Ring `ring`, or the first after it that somebody staffs when nobody staffs this one."""
    stage = state.stage_in(queue, ring, *wants)
    last = last_ring(queue)
    if last == 1:
        return stage
    later = (state.stage_in(queue, n, *wants) for n in range(ring, last + 1))
    stage = next((each for each in later if state.staffing.can_serve(each.needs)), stage)
    seconds = seconds_of(queue, stage.ring)
    return stage if seconds is None else replaced(stage, until=now + timedelta(seconds=seconds))
