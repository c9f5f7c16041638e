"""Why a caller waited and why an agent was offered him: a story derived by replaying the log (acd.md section 2).

Nothing of it is written when the decision is made but the number of the input that led to it. The replay stops at
each decision before it changes anything and asks the core where every agent stands towards the caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from acd.core import Distributor
from acd.machines.entry import QueueEntry
from acd.model import EPOCH, Need, instant
from acd.replay import Divergence, Logged, Replay
from acd.snapshot import Snapshot
from acd.standing import BUSY, FREE, Standing, standing

ANNOUNCED = "acd.entry.announced"
"""He goes on waiting as he did."""

MOST_NAMED = 25
"""So many agents who could serve are told one by one while a caller waits; of more, how many of each kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the caller. `kind` is that of the fact without `acd.`, or one of this module."""

    at: datetime
    kind: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Story:
    """`divergence`: from there on the log does not replay, and the story ends."""

    contact: str
    steps: Sequence[Step]
    cores: Sequence[tuple[int, str]] = ()
    divergence: Divergence | None = None


def story_of(contact: str, items: Iterable[Logged | Snapshot], core: Distributor) -> Story:
    """What became of `contact` in the queues, from a log that begins where `core` stands."""
    replay = Replay(core)
    teller = _Teller(contact, core)
    core.watch = teller.decides
    divergence = None
    for item in items:
        if isinstance(item, Logged) and item.kind == "input":
            teller.settle()
        divergence = replay.take(item)
        if divergence is not None:
            break
        if isinstance(item, Logged):
            teller.heard(item, replay)
    teller.settle()
    verdict = replay.verdict(divergence)
    return Story(contact, teller.steps, verdict.cores, divergence)


@dataclass(slots=True)
class _Teller:
    """Follows one contact. `settle` tells how he waits once an input has had all its consequences."""

    contact: str
    core: Distributor
    steps: list[Step] = field(default_factory=list)
    _decisions: list[dict[str, object]] = field(default_factory=list)
    _standings: dict[str, Standing] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _stale: bool = True
    _touched: list[str] = field(default_factory=list)
    _waits: dict[str, object] | None = None
    _now: datetime = EPOCH
    _for: list[str] = field(default_factory=list)

    # -- what the replay tells ------------------------------------------------------------------------------------

    def decides(self, entry: QueueEntry, agent: str, now: datetime) -> None:
        """The core is about to offer `entry` to `agent`; nothing has changed yet."""
        state = self.core.state
        if entry.contact == self.contact:
            found = [standing(state, entry, known, agent) for known in state.known.values()]
            self._decisions.append(
                {"position": state.matcher.position(entry.queue, entry.place), "agents": _told(found)}
            )
            return
        mine = self._entry()
        if mine is None or mine.state != "waiting" or standing(state, mine, state.known[agent]).reason not in FREE:
            return
        data = {
            "agent": agent,
            "contact": entry.contact,
            "queue": entry.queue,
            "priority": entry.priority,
            "enqueued_at": entry.enqueued_at,
            "own_priority": mine.priority,
            "own_enqueued_at": mine.enqueued_at,
            "by_choice": mine.place < entry.place,
        }
        self.steps.append(Step(now, "agent.taken", data))

    def heard(self, line: Logged, replay: Replay) -> None:
        """The line has been run, or was a fact that is as the core says."""
        if line.kind == "input":
            self._now = instant(int(str(line.data["now"])))
            self._note(line, replay)
        elif line.subject == self.contact and line.type.startswith(("acd.entry.", "acd.offer.")):
            if line.type != ANNOUNCED:
                self._end_wait(instant(line.at))
            data = dict(line.data)
            if line.type == "acd.offer.created" and self._decisions:
                data |= self._decisions.pop(0)
            elif line.type == "acd.entry.queued":
                data |= self._terms(str(line.data["entry"]))
            self.steps.append(Step(instant(line.at), line.type.removeprefix("acd."), data))

    def _note(self, line: Logged, replay: Replay) -> None:
        for kind, id_, row in replay.touched:
            if kind == "agent":
                self._touched.append(id_)
            elif kind == "entry" and (row is None or getattr(row, "contact", "") == self.contact):
                self._stale = True
        if line.type == "acd.input.policy_loaded":
            self._stale = True
            if self._waits is not None:
                self.steps.append(Step(self._now, "policy.loaded", {"version": self.core.policy.version}))
        elif line.type == "acd.input.restarted" and self._waits is not None:
            self.steps.append(Step(self._now, "restarted", {}))
        elif line.type == "acd.input.entry_queued":
            self._for = _for_whom(line.data)

    def _terms(self, id_: str) -> dict[str, object]:
        entry = self.core.entries.get(id_)
        if entry is None:
            return {}
        return {
            "priority": entry.priority,
            "enqueued_at": entry.enqueued_at,
            "needs": need_of(entry.need),
            "preferred": entry.preferred,
            "instead_of": self._for[: self._for.index(entry.preferred)] if entry.preferred in self._for else [],
            "ring": entry.stage.ring,
            "policy": self.core.policy.version,
        }

    # -- how he waits ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """The last input is over: whether he waits now, and for what."""
        entry = self._entry()
        if entry is None or entry.state != "waiting":
            self._end_wait(self._now)
            self._stale = True
            self._touched.clear()
            return
        self._look(entry)
        waits = self._wait(entry)
        if waits != self._waits:
            self._end_wait(self._now)
            self._waits = waits
            self.steps.append(Step(self._now, "entry.waits", {**waits, "until": None}))

    def _end_wait(self, at: datetime) -> None:
        if self._waits is not None:
            self._waits = None
            index = next(i for i in range(len(self.steps) - 1, -1, -1) if self.steps[i].kind == "entry.waits")
            step = self.steps[index]
            self.steps[index] = Step(step.at, step.kind, {**step.data, "until": at})

    def _look(self, entry: QueueEntry) -> None:
        """Ask again where those stand who may stand elsewhere now."""
        known = self.core.state.known
        if self._stale:
            self._standings.clear()
            self._counts.clear()
        for id_ in known if self._stale else self._touched:
            before = self._standings.pop(id_, None)
            if before is not None and before.qualifies:
                self._counts[before.reason] -= 1
            if id_ in known:
                found = self._standings[id_] = standing(self.core.state, entry, known[id_])
                self._counts[found.reason] += found.qualifies
        self._stale = False
        self._touched.clear()

    def _wait(self, entry: QueueEntry) -> dict[str, object]:
        counts = {reason: count for reason, count in sorted(self._counts.items()) if count}
        qualified = [each for each in self._standings.values() if each.qualifies]
        named = qualified if len(qualified) <= MOST_NAMED else []
        return {
            "entry": entry.id,
            "queue": entry.queue,
            "reason": _headline(entry, counts),
            "counts": counts,
            "position": self.core.position(entry.id),
            "ring": entry.stage.ring,
            "widens_at": entry.stage.until,
            "preferred": entry.preferred if entry.stage.ring == 0 else None,
            "excluded": [{"agent": each.agent, "until": each.until} for each in entry.excluded],
            "agents": [{"agent": each.agent, "reason": each.reason, "detail": each.detail} for each in named],
        }

    def _entry(self) -> QueueEntry | None:
        id_ = self.core.state.entry_of.get(self.contact)
        return None if id_ is None else self.core.entries.get(id_)


def _headline(entry: QueueEntry, counts: Mapping[str, int]) -> str:
    """The one reason for which he waits; `counts` are those who have what he needs, by where they stand."""
    if entry.spot[3] is not None:
        return "preferred"
    if not counts:
        return "nobody_qualified"
    there = {reason for reason in counts if reason != "logged_out"}
    if not there:
        return "nobody_staffed"
    if there & FREE:
        return "kept_in_reserve"
    if "excluded" in there:
        return "excluded"
    if there <= BUSY:
        return "all_busy"
    return "some_busy" if there & BUSY else "all_away"


def _for_whom(queued: Mapping[str, object]) -> list[str]:
    """The agents whom a caller was to have, the first first, as an input says it."""
    or_ = queued.get("or_preferred")
    return [str(agent) for agent in (queued.get("preferred"), *(or_ if isinstance(or_, list) else ())) if agent]


def need_of(need: Need) -> list[list[dict[str, object]]]:
    """All of these groups; of each group one is enough. A skill that begins with @ is a team."""
    return [[{"skill": skill, "level": level} for skill, level in group] for group in need]


_CLASSES = {"chosen": 0, "later_in_order": 1, "excluded": 2, "not_preferred": 3, "unqualified": 3}


def _told(found: Iterable[Standing]) -> list[dict[str, object]]:
    """The agents of a decision: the chosen one, those after him in order, and then those who could not be."""
    ranked = sorted(found, key=lambda each: (_CLASSES.get(each.reason, 4), each.key, each.agent))
    return [
        {
            "agent": each.agent,
            "reason": each.reason,
            "detail": each.detail,
            "since": each.since,
            "until": each.until,
            "lacks": need_of(each.lacks),
            "excluded_until": each.excluded_until,
            "order": dict(each.order),
        }
        for each in ranked
    ]
