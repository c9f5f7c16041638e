"""Experiments in memory, for the API's tests."""

from collections.abc import Mapping, Sequence

from callcenter.app.experiment_files import Experiment, Question
from callcenter.kernel.errors import Conflict, NotFound


class FakeLaboratory:
    """One experiment after the other; `finish` brings the running one to its end."""

    def __init__(self) -> None:
        self.all: dict[str, Experiment] = {}

    async def choices(self) -> Mapping[str, object]:
        return {
            "days": [{"day": "1999-02-03", "calls": 1_949}],
            "scenarios": [{"name": "multi_skill", "groups": ["all_round"]}],
        }

    def listed(self) -> Sequence[Experiment]:
        return list(reversed(self.all.values()))

    def found(self, id_: str) -> Experiment:
        if id_ not in self.all:
            raise NotFound("there is no such experiment")
        return self.all[id_]

    def start(self, question: Question) -> Experiment:
        if any(not each.is_over() for each in self.all.values()):
            raise Conflict("an experiment runs", data={"reason": "running"})
        id_ = f"e{len(self.all) + 1}"
        self.all[id_] = Experiment(id_, question, "2026-03-02T09:00:00Z", wanted=question.replications)
        return self.all[id_]

    def cancel(self, id_: str) -> Experiment:
        self.found(id_).state = "cancelled"
        return self.found(id_)

    def finish(self, id_: str, result: Mapping[str, object]) -> None:
        """Let it be done."""
        self.all[id_].state, self.all[id_].result = "done", result
