"""Relaxation rings (acd.md section 3): what is asked for a caller who has waited so long.

Rings count from 1, and a queue without any has one. Ring 0 is the time in which a caller waits for one agent only.
Each ring has what the rings before it have, so who could serve in one could serve in all that follow.
"""

from acd.model import ONE_RING, Need, QueuePolicy, Requirements, Skills
from acd.policies.skills import EVERYBODY, required


def last_ring(queue: QueuePolicy) -> int:
    """The number of the ring that has no end."""
    return len(queue.rings) or 1


def seconds_of(queue: QueuePolicy, ring: int) -> int | None:
    """How long `ring` lasts; None: for ever."""
    return None if ring >= last_ring(queue) else queue.rings[ring - 1].seconds


def reserve_of(queue: QueuePolicy, ring: int) -> int:
    """How many who could serve a caller of `ring` stay idle for others."""
    return queue.rings[ring - 1].reserve if 0 < ring <= len(queue.rings) else 0


def need_in(queue: QueuePolicy, ring: int, asked: Skills, requires: Requirements) -> Need:
    """What a caller of `ring` needs, for whom `asked` and `requires` were asked on top of what the queue wants."""
    rings = (queue.rings or ONE_RING)[: max(ring, 1)]
    widened = {team for each in rings for team in each.teams}
    return required(
        (*queue.skills, *asked),
        (*queue.requires, *requires),
        teams=() if not queue.teams or EVERYBODY in widened else sorted({*queue.teams, *widened}),
        lower=max(each.lower for each in rings),
        drop={skill for each in rings for skill in each.drop},
    )
