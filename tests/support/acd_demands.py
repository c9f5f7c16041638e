"""What the distributor owes its callers and agents between two inputs, found by looking at everybody (acd.md, 2).

Nothing here asks the index: each demand is worked out from the policy and the aggregates alone.
"""

from datetime import timedelta

from acd import events
from acd.core import Distributor
from acd.machines.entry import QueueEntry
from acd.model import QueuePolicy, Settings, Skills, milliseconds
from acd.policies.rings import last_ring, need_in, reserve_of
from acd.policies.skills import level_for, meets, of_any_team, profile

Turns = dict[str, int]
TAKES_CALLS = ("available", "reserved", "on_contact", "wrap_up")


def profiles(core: Distributor) -> dict[str, Skills]:
    """What each agent may be chosen for, with the skills that a supervisor gave him."""
    found: dict[str, Skills] = {}
    for known in core.policy.agents:
        agent = core.agents.get(known.id)
        trained = None if agent is None else agent.trained
        found[known.id] = profile(known.skills if trained is None else trained, known.teams)
    return found


def work_is_conserved(core: Distributor) -> None:
    """Nobody idles while one waits whom he could serve, but for what the queue's policy states."""
    skills = profiles(core)
    idle = [id_ for id_ in core.agents if core.can_be_offered(id_)]
    for entry in core.entries.values():
        if entry.state == "waiting" or _more_may_ring(core, entry):
            assert not _eligible(entry, idle, skills), "nobody idles while one waits whom he could serve"


def _more_may_ring(core: Distributor, entry: QueueEntry) -> bool:
    queue = _queue(core, entry)
    return queue.strategy == "ring_all" and 0 < len(entry.pending) < queue.ring_all_most


def _eligible(entry: QueueEntry, idle: list[str], skills: dict[str, Skills]) -> list[str]:
    if entry.stage.ring == 0:
        fit = [id_ for id_ in idle if id_ == entry.preferred]
    else:
        fit = [id_ for id_ in idle if meets(skills[id_], entry.need)]
    if len(fit) <= entry.stage.reserve:
        return []
    return [id_ for id_ in fit if not any(each.agent == id_ for each in entry.excluded)]


def rings_are_kept(core: Distributor) -> None:
    """Each waits for those whom the policy has in his ring, and not where nobody is while others are."""
    skills = profiles(core)
    signed_in = [id_ for id_, agent in core.agents.items() if agent.state != "logged_out" and id_ in skills]
    for entry in core.entries.values():
        queue = next((queue for queue in core.policy.queues if queue.name == entry.queue), None)
        if queue is None or entry.state != "waiting":
            continue
        if entry.stage.ring == 0:
            _waits_for_one(core, entry, queue)
            continue
        needs = [need_in(queue, ring, entry.asked, entry.requires) for ring in range(1, last_ring(queue) + 1)]
        staffed = [any(meets(skills[id_], need) for id_ in signed_in) for need in needs]
        ring = entry.stage.ring
        assert entry.stage.needs == needs[ring - 1], "what the ring asks for"
        assert entry.stage.reserve == reserve_of(queue, ring)
        assert staffed[ring - 1] or not any(staffed[ring:]), "a ring that nobody staffs is skipped"
        assert (entry.stage.until is None) == (ring == last_ring(queue)), "each ring but the last ends"


def _waits_for_one(core: Distributor, entry: QueueEntry, queue: QueuePolicy) -> None:
    assert entry.preferred is not None
    agent = core.agents[entry.preferred]
    assert agent.state in TAKES_CALLS, "nobody waits for one who takes no calls"
    assert agent.phone, "nobody waits for a phone that is away"
    assert not entry.excludes(agent.id), "nobody waits for one who let him go"
    assert entry.stage.until is not None, "nobody waits for one agent for ever"
    need = of_any_team(need_in(queue, 1, entry.asked, entry.requires))
    assert meets(profiles(core)[agent.id], need), "nobody waits for one who cannot serve him"


def offer_was_fair(core: Distributor, made: events.OfferCreated, turns: Turns) -> None:
    """Of the callers whom the agent could serve this is the first, of the agents for him this one."""
    skills = profiles(core)
    entry, agent = core.entries[made.entry], core.agents[made.agent]
    assert entry.stage.ring == 0 or meets(skills[agent.id], entry.need), "the agent has the skills"
    assert all(held.interruptible for held in agent.held), "not to one whose chat must not be interrupted"
    over = made.decision.passed_over
    assert made.decision.ring == entry.stage.ring
    assert entry.stage.ring == 0 or 1 + over.excluded + over.later_in_order > entry.stage.reserve, (
        "the reserve is kept"
    )
    if len(entry.pending) == 1:
        idle = [agent.id, *(id_ for id_ in core.agents if core.can_be_offered(id_))]
        for other in core.entries.values():
            if other.state == "waiting" and agent.id in _eligible(other, idle, skills):
                assert _score(core, entry) < _score(core, other), "first come first served"
    mine = _key(core, entry, agent.id, turns, skills)
    for id_ in core.agents:
        if mine and core.can_be_offered(id_) and id_ in _eligible(entry, [agent.id, id_], skills):
            assert _key(core, entry, id_, turns, skills) >= mine, "the queue's order of agents"


def _score(core: Distributor, entry: QueueEntry) -> tuple[object, ...]:
    """Waited plus head start; the earlier input among equals."""
    settings, queue = core.policy.settings, _queue(core, entry)
    seconds = queue.head_start_s + entry.head_start_s
    if queue.name not in {known.name for known in core.policy.queues}:
        return (entry.rank, milliseconds(entry.enqueued_at) - entry.lead_ms, entry.number)
    if settings.strict_priority:
        return (-entry.priority, milliseconds(entry.enqueued_at - timedelta(seconds=seconds)), entry.number)
    seconds += _points(settings, entry.priority)
    return (0, milliseconds(entry.enqueued_at - timedelta(seconds=seconds)), entry.number)


def _points(settings: Settings, priority: int) -> int:
    return (priority - 50) * settings.priority_s


def _key(core: Distributor, entry: QueueEntry, id_: str, turns: Turns, skills: dict[str, Skills]) -> tuple[int, ...]:
    agent = core.agents[id_]
    idle_ms = milliseconds(agent.idle_since)
    match _queue(core, entry).strategy:
        case "fewest_contacts":
            return agent.contacts, idle_ms
        case "round_robin":
            return (turns.get(id_, 0),)
        case "longest_since_contact":
            return 0 if agent.inbound_at is None else milliseconds(agent.inbound_at), idle_ms
        case "highest_level":
            return -level_for(skills[id_], entry.need), idle_ms
        case "lowest_level":
            return level_for(skills[id_], entry.need), idle_ms
        case "weighted_random":
            return ()
        case _:
            return (idle_ms,)


def _queue(core: Distributor, entry: QueueEntry) -> QueuePolicy:
    return next((queue for queue in core.policy.queues if queue.name == entry.queue), QueuePolicy(""))
