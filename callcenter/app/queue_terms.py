"""What is held against the queues: `config/metrics.yaml`, and who serves them by the rules that hold now.

The file may be missing: then every queue has T = 20 s and no alarm.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from acd.model import Policy, QueuePolicy
from acd.policies.rings import last_ring, need_in
from acd.policies.skills import canonical, meets, of_any_team, profile
from callcenter.app.schema import Complaints, build
from callcenter.app.settings import read_yaml
from callcenter.reporting.metrics import SERVICE_LEVELS
from callcenter.reporting.visits import QueueTerms

FILE = "metrics.yaml"
NO_QUEUE = "is no queue of queues.yaml"
BEST_LEVEL = 10
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class _TermsText:
    threshold_s: int | None = None
    target: float | None = None
    variant: str | None = None
    short_abandon_s: int | None = None
    longest_wait_alarm_s: int | None = None
    waiting_alarm: int | None = None


@dataclass(frozen=True, slots=True)
class _File:
    defaults: _TermsText = field(default_factory=_TermsText)
    queues: dict[str, _TermsText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrittenTerms:
    """The file: of each queue that it names, and of all others."""

    queues: Mapping[str, QueueTerms] = field(default_factory=dict)
    others: QueueTerms = field(default_factory=QueueTerms)


def load_queue_terms(config: Path, queues: Collection[str]) -> WrittenTerms:
    """Read and check the file of the folder `config`. Raises ConfigError naming every wrong key."""
    complaints = Complaints()
    file = build(_File, read_yaml(config / FILE, missing={}), f"{FILE}: ", complaints)
    complaints.raise_if_any()
    others = _terms(file.defaults, QueueTerms(), f"{FILE}: defaults", complaints)
    written = {}
    for name, text in file.queues.items():
        where = f"{FILE}: queues.{name}"
        if name not in queues:
            complaints.add(where, NO_QUEUE)
        written[name] = _terms(text, others, where, complaints)
    complaints.raise_if_any()
    return WrittenTerms(written, others)


def _terms(text: _TermsText, others: QueueTerms, where: str, complaints: Complaints) -> QueueTerms:
    given = {one.name: value for one in fields(text) if (value := getattr(text, one.name)) is not None}
    for key in ("threshold_s", "longest_wait_alarm_s", "waiting_alarm"):
        if not 1 <= given.get(key, 1) <= DAY_S:
            complaints.add(f"{where}.{key}", f"must be 1 to {DAY_S}")
    if not 0 <= given.get("short_abandon_s", 0) <= DAY_S:
        complaints.add(f"{where}.short_abandon_s", f"must be 0 to {DAY_S}")
    if not 0 < given.get("target", 1) <= 1:
        complaints.add(f"{where}.target", "must be above 0 and at most 1, such as 0.8")
    if given.get("variant", "sl_answered") not in SERVICE_LEVELS:
        complaints.add(f"{where}.variant", f"must be one of {', '.join(SERVICE_LEVELS)}")
    return replace(others, **given)


class SiteTerms:
    """Implements `reporting.visits.Terms`; asked from the projector's thread, so it only reads what never changes."""

    def __init__(self, written: WrittenTerms, policy: Callable[[], Policy]) -> None:
        """`policy` gives the rules that hold now."""
        self._written = written
        self._policy = policy
        self._known: tuple[Policy, Mapping[str, Mapping[str, int]]] | None = None

    def of(self, queue: str) -> QueueTerms:
        """Of one queue."""
        return self._written.queues.get(queue, self._written.others)

    def skills(self, queue: str) -> tuple[str, ...]:
        """What the queue asks of its agents."""
        for each in self._policy().queues:
            if each.name == queue:
                need = of_any_team(need_in(each, 1, (), ()))
                return tuple(dict.fromkeys(skill for group in need for skill, _ in group))
        return ()

    def members(self) -> Mapping[str, Mapping[str, int]]:
        """Who serves which queue."""
        policy = self._policy()
        if self._known is None or self._known[0] is not policy:
            self._known = policy, {agent.id: self._serves(dict(agent.skills), agent.teams) for agent in policy.agents}
        return self._known[1]

    def serves(self, agent: str, skills: Mapping[str, int]) -> Mapping[str, int]:
        """The queues of `agent` if he had these skills, and how far he is from the best in each."""
        teams = next((each.teams for each in self._policy().agents if each.id == agent), ())
        return self._serves(skills, teams)

    def _serves(self, skills: Mapping[str, int], teams: Iterable[str]) -> Mapping[str, int]:
        found = ((queue.name, _penalty(queue, skills, teams)) for queue in self._policy().queues)
        return {name: penalty for name, penalty in found if penalty is not None}


def _penalty(queue: QueuePolicy, skills: Mapping[str, int], teams: Iterable[str]) -> int | None:
    """0 to 9, by the weakest of the skills that the queue asks for; None for who may not serve it in any ring."""
    if not meets(profile(canonical(skills), teams), need_in(queue, last_ring(queue), (), ())):
        return None
    asked = of_any_team(need_in(queue, 1, (), ()))
    levels = (max(skills.get(skill, 0) for skill, _ in group) for group in asked)
    return min(BEST_LEVEL - 1, BEST_LEVEL - min(levels, default=BEST_LEVEL))
