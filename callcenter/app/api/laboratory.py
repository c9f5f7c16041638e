"""Experiments of supervisors over HTTP: what can be asked, asking it, how far it is and what came of it."""

import re
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

from callcenter.app.api.access import allow
from callcenter.app.api.models import Payload
from callcenter.app.experiment_files import Alternative, Experiment, Laboratory, Question, Rule
from callcenter.kernel.errors import InvalidInput

PATH = "/api/laboratory"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[\w.-]{1,64}")
Title = Annotated[str, Field(min_length=1, max_length=60)]


class AlternativeWish(Payload):
    """One change; see `experiment_files.Alternative`."""

    name: Title
    rule: Rule = "longest_idle"
    head_start_s: int = Field(default=0, ge=0, le=3600)
    more: int = Field(default=0, ge=-50, le=50)
    group: Title | None = None


class ExperimentWish(Payload):
    """A day or a scenario, and one to three alternatives to how it is."""

    kind: Literal["day", "scenario"]
    subject: str = Field(max_length=64)
    alternatives: list[AlternativeWish] = Field(min_length=1, max_length=3)
    replications: int = Field(default=20, ge=2, le=500)

    def question(self) -> Question:
        """As the laboratory has it. Raises InvalidInput."""
        pattern = _DAY if self.kind == "day" else _NAME
        if not pattern.fullmatch(self.subject) or self.subject.startswith("."):
            raise InvalidInput("subject: is no day and no scenario", data={"field": "subject"})
        wishes = (Alternative(**each.model_dump()) for each in self.alternatives)
        return Question(self.kind, self.subject, tuple(wishes), self.replications)


class Choices(BaseModel):
    """What can be asked."""

    days: list[dict[str, Any]]
    scenarios: list[dict[str, Any]]


class ExperimentOut(BaseModel):
    """One. `result` is what the command printed, once it is done."""

    id: str
    kind: str
    subject: str
    names: list[str]
    at: str
    state: str
    done: int
    wanted: int
    problem: str
    result: dict[str, Any] | None = None

    @classmethod
    def of(cls, experiment: Experiment, *, whole: bool) -> "ExperimentOut":
        """As a body; without its result in lists."""
        question = experiment.question
        return cls(
            id=experiment.id,
            kind=question.kind,
            subject=question.subject,
            names=[each.name for each in question.alternatives],
            at=experiment.at,
            state=experiment.state,
            done=experiment.done,
            wanted=experiment.wanted,
            problem=experiment.problem,
            result=dict(experiment.result) if whole and experiment.result is not None else None,
        )


class ExperimentList(BaseModel):
    """The newest first."""

    experiments: list[ExperimentOut]


def add_laboratory_routes(app: FastAPI, experiments: Laboratory) -> None:
    """`/api/laboratory` and the experiments below it, for supervisors."""

    @app.get(PATH, dependencies=allow("live.read"), tags=["laboratory"])
    async def choices() -> Choices:
        """The days and scenarios that there are."""
        return Choices.model_validate(await experiments.choices())

    @app.get(f"{PATH}/experiments", dependencies=allow("live.read"), tags=["laboratory"])
    async def listed() -> ExperimentList:
        """Those since the server's start."""
        return ExperimentList(experiments=[ExperimentOut.of(each, whole=False) for each in experiments.listed()])

    @app.post(f"{PATH}/experiments", dependencies=allow("live.read"), status_code=201, tags=["laboratory"])
    async def start(wish: ExperimentWish) -> ExperimentOut:
        """Begin one, in a process of its own."""
        return ExperimentOut.of(experiments.start(wish.question()), whole=False)

    @app.get(f"{PATH}/experiments/{{experiment}}", dependencies=allow("live.read"), tags=["laboratory"])
    async def found(experiment: str) -> ExperimentOut:
        """How far it is, and what came of it."""
        return ExperimentOut.of(experiments.found(experiment), whole=True)

    @app.delete(f"{PATH}/experiments/{{experiment}}", dependencies=allow("live.read"), tags=["laboratory"])
    async def cancel(experiment: str) -> ExperimentOut:
        """Stop it."""
        return ExperimentOut.of(experiments.cancel(experiment), whole=False)
