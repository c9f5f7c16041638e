"""Bodies of requests and answers as the OpenAPI document has them. Requests forbid what they do not name."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from callcenter.console.ports import Principal

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$")]


class Payload(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FromFields(BaseModel):
    """An answer that is read off the fields of a dataclass."""

    model_config = ConfigDict(from_attributes=True)


class Credentials(Payload):
    """A sign-in. `take_over` ends the user's other sessions and their consoles: one place to work at."""

    login: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)
    take_over: bool = False


class StateWish(Payload):
    """What an agent asks to be. `reason` says why not ready (break, training ...)."""

    state: Literal["available", "not_ready", "logged_out"]
    reason: str | None = Field(default=None, max_length=40, pattern=r"^[a-z0-9_]+$")


class CallControl(Payload):
    """What an agent wants of the call that he is in; `kind` and `target` say where a transfer goes."""

    action: Literal["hang_up", "hold", "resume", "transfer"]
    kind: Literal["phone", "queue", "number"] = "phone"
    target: str = Field(default="", max_length=64)


class OfferAnswer(Payload):
    """An agent's answer to the offer that is on the screen."""

    offer: str = Field(min_length=1, max_length=100)
    accept: bool


class AfterCall(Payload):
    """After-call work: a disposition (a code of the site), more seconds, or the end of it.

    `ask`, during the call: to have it at all, where the queue leaves that to the agent.
    """

    finish: bool = False
    ask: bool = False
    extend_s: int = Field(default=0, ge=0, le=3600)
    disposition: str | None = Field(default=None, max_length=40, pattern=r"^[a-z0-9_]+$")

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        if not (self.finish or self.ask or self.extend_s or self.disposition):
            raise ValueError("one of finish, ask, extend_s and disposition must be given")
        return self


class Options(FromFields):
    """What forms on the desk offer: dispositions with their names by language, phones with their names, and so on.

    `wrap_up_when_asked`: the queues after whose callers this agent has a wrap-up only if he asks for it in the call.
    """

    dispositions: dict[str, dict[str, str]]
    phones: dict[str, str]
    queues: list[str]
    numbers: list[str]
    wrap_up_when_asked: list[str]


class Who(BaseModel):
    """The session's user."""

    user: str
    login: str
    name: str
    role: str
    agent: str | None
    permissions: list[str]

    @classmethod
    def of(cls, principal: Principal) -> "Who":
        """What a principal may know of itself."""
        return cls(
            user=principal.user,
            login=principal.login,
            name=principal.name,
            role=principal.role,
            agent=principal.agent,
            permissions=sorted(principal.permissions),
        )


class Ticket(BaseModel):
    """For one websocket's first frame, once, within `expires_in_s`."""

    ticket: str
    expires_in_s: int


class CallList(BaseModel):
    """One page of call detail records, newest first."""

    calls: list[dict[str, Any]]
    next: str | None


class AgentOut(FromFields):
    """An agent and its state."""

    id: str
    name: str
    state: str
    reason: str | None
    contact: str | None
    since: datetime | None
    until: datetime | None
    skills: dict[str, int]
    phone: bool
    console: bool


class AgentList(BaseModel):
    """All agents."""

    agents: list[AgentOut]


class QueueOut(FromFields):
    """A queue as it stands."""

    id: str
    name: str
    waiting: int
    longest_wait_ms: int | None
    agents_available: int
    expected_wait_ms: int | None
    promises: int
    promise_error_ms: int | None
    promise_bias_ms: int | None
    callbacks: int


class QueueList(BaseModel):
    """All queues."""

    queues: list[QueueOut]


class FlowList(BaseModel):
    """The loaded flows with their versions."""

    flows: list[dict[str, Any]]


class Health(BaseModel):
    """`ok`, or `degraded` while new calls are refused."""

    status: Literal["ok", "degraded"]
