"""What supervisors ask of an experiment, the policy files that say the same to the commands, and its outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from callcenter.kernel.errors import InvalidInput

State = Literal["running", "done", "failed", "cancelled"]
Kind = Literal["day", "scenario"]
Rule = Literal["longest_idle", "fewest_contacts", "round_robin", "quickest"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One change of the rules and the staffing. `head_start_s` is for callers of priority 2 of a day's log.

    `more` agents (or fewer): of a scenario's `group`, in every period.
    """

    name: str
    rule: Rule = "longest_idle"
    head_start_s: int = 0
    more: int = 0
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """`subject` is a day (YYYY-MM-DD) or a scenario's name."""

    kind: Kind
    subject: str
    alternatives: tuple[Alternative, ...]
    replications: int = 20
    seed: int = 1


@dataclass(slots=True, eq=False)
class Experiment:
    """One. `result` is there when it is done, `problem` when it failed; `done` of `wanted` replications."""

    id: str
    question: Question
    at: str
    state: State = "running"
    done: int = 0
    wanted: int = 0
    result: Mapping[str, Any] | None = None
    problem: str = ""

    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state != "running"


class Laboratory(Protocol):
    """What the HTTP API needs of the experiments."""

    async def choices(self) -> Mapping[str, object]:
        """`days` and `scenarios` that there are. Raises SiteUnavailable."""
        ...

    def listed(self) -> Sequence[Experiment]:
        """The newest first."""
        ...

    def found(self, id_: str) -> Experiment:
        """Raises NotFound."""
        ...

    def start(self, question: Question) -> Experiment:
        """Begin one. Raises Conflict while another one runs."""
        ...

    def cancel(self, id_: str) -> Experiment:
        """Stop it. Raises NotFound."""
        ...


def policy_document(kind: Kind, alternative: Alternative, scenario: object) -> Mapping[str, Any]:
    """The policy file of an alternative. Raises InvalidInput for what the subject cannot have."""
    return _of_day(alternative) if kind == "day" else _of_scenario(alternative, scenario)


def _of_day(alternative: Alternative) -> Mapping[str, Any]:
    agents: dict[str, object] = {"more": alternative.more}
    queue: dict[str, object] = {"strategy": alternative.rule}
    if alternative.rule == "quickest":
        agents |= {"level_by": "handle_time", "skill": "quick"}
        queue = {"strategy": "highest_level", "skills": {"quick": 1}}
    document: dict[str, object] = {"title": alternative.name, "agents": agents, "queue": queue}
    if alternative.head_start_s:
        document["callers"] = [{"priority": 2, "head_start_s": alternative.head_start_s}]
    return document


def _of_scenario(alternative: Alternative, scenario: object) -> Mapping[str, Any]:
    if not isinstance(scenario, dict) or not isinstance(scenario.get("groups"), dict):
        raise InvalidInput("subject: that scenario has no groups", data={"field": "subject"})
    if alternative.rule == "quickest" or alternative.head_start_s:
        raise InvalidInput("rule: a scenario knows no quickest agents and no log", data={"field": "rule"})
    document: dict[str, object] = {}
    queues = scenario.get("queues")
    if isinstance(queues, list):
        document["queues"] = [{**queue, "strategy": alternative.rule} for queue in queues]
    if alternative.more:
        groups = scenario["groups"]
        if alternative.group not in groups:
            raise InvalidInput("group: the scenario has no such group", data={"field": "group"})
        there = groups[alternative.group]["agents"]
        changed = (
            [max(0, each + alternative.more) for each in there]
            if isinstance(there, list)
            else max(0, there + alternative.more)
        )
        document["groups"] = {alternative.group: {"agents": changed}}
    return document
