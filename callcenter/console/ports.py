"""What the HTTP API and the consoles need from the rooms; the composition root wires the real ones.

Everything a route or a websocket asks for comes through one of these, so both can be tested with the fakes of
tests/support/web.py. Errors are those of `callcenter.kernel.errors`: a port refuses by raising one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from callcenter.identity.principal import Principal, SignedIn

__all__ = ["Principal", "SignedIn"]

Permission = Literal[
    "calls.read",  # call detail records
    "calls.listen",  # recordings
    "agents.read",
    "agents.control",  # change the state of others
    "queues.read",
    "queues.control",  # move, prioritise and cancel who waits
    "live.read",  # every live event, not only one's own
    "status.read",
    "config.read",
    "api.read",  # the OpenAPI document
    "desk.use",  # be an agent
    "customers.read",
    "customers.write",
    "customers.import",  # and export: all of them at once
    "tickets.read",
    "tickets.write",
    "policy.manage",  # queues, agents and their skills, while calls run
]

AgentWish = Literal["available", "not_ready", "logged_out"]


class Identity(Protocol):
    """Users, sessions and tickets (security.md section B)."""

    async def sign_in(self, login: str, password: str, *, source: str) -> SignedIn:
        """Raises NotAuthenticated for a wrong pair, Overloaded while `login` or `source` (address) is throttled."""
        ...

    async def principal(self, token: str) -> Principal | None:
        """Who the cookie's secret belongs to, None when the session is unknown, expired or revoked."""
        ...

    async def sign_out(self, token: str) -> None:
        """End the session; unknown ones are ignored."""
        ...

    async def end_others(self, principal: Principal) -> None:
        """End every session of the user but this one."""
        ...

    async def issue_ticket(self, principal: Principal) -> str:
        """A secret for one websocket, good once and for 60 s."""
        ...

    async def redeem_ticket(self, ticket: str) -> Principal | None:
        """Spend the ticket; None when it is unknown, expired, spent, or its session has ended."""
        ...

    async def names(self) -> Mapping[str, str]:
        """What the users are called, by id."""
        ...


@dataclass(frozen=True, slots=True)
class CallPage:
    """Call detail records, newest first; `next` continues the list, None at its end."""

    calls: Sequence[Mapping[str, object]]
    next: str | None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which records to list. `after` is the `next` of the page before; `day` is one of the site's zone."""

    limit: int = 50
    after: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    queue: str | None = None
    agent: str | None = None
    result: str | None = None
    caller: str | None = None
    day: date | None = None


class Calls(Protocol):
    """Call detail records as the projection has them."""

    async def list(self, query: CallFilter) -> CallPage:
        """One page. Raises InvalidInput for a cursor that is none."""
        ...

    async def show(self, contact: str) -> Mapping[str, object] | None:
        """The whole record of a contact, None when there is none (yet)."""
        ...

    async def recordings(self, contact: str) -> Sequence[str]:
        """The file names of the contact's recordings below the recordings folder, in order; none where none was."""
        ...


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent as lists show it. `until` ends a wrap-up. `skills` are levels 1..10."""

    id: str
    name: str
    state: str
    reason: str | None
    contact: str | None
    since: datetime | None
    until: datetime | None
    skills: Mapping[str, int]
    phone: bool
    console: bool


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as lists show it. `waiting` are callers, `callbacks` are to be called; `longest_wait_ms` is that of the
    callers, None while nobody waits.

    `expected_wait_ms`: of the next caller, None while it is not known. `promises` were settled; `promise_error_ms`
    is the mean of how far they were off, `promise_bias_ms` that of told less came.
    """

    id: str
    name: str
    waiting: int
    longest_wait_ms: int | None
    agents_available: int
    expected_wait_ms: int | None = None
    promises: int = 0
    promise_error_ms: int | None = None
    promise_bias_ms: int | None = None
    callbacks: int = 0


@dataclass(frozen=True, slots=True)
class CallWish:
    """What an agent wants of the call that he is in. `kind` and `target` are for transfer only."""

    action: Literal["hang_up", "hold", "resume", "transfer"]
    kind: Literal["phone", "queue", "number"] = "phone"
    target: str = ""


@dataclass(frozen=True, slots=True)
class WrapUpWish:
    """After-call work: `extend_s` more seconds, a `disposition` (a code of the site), `finish` at once.

    `ask`: the agent, who talks, wants some where the queue leaves it to him.
    """

    finish: bool = False
    extend_s: int = 0
    disposition: str | None = None
    ask: bool = False


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """What an agent may choose from: names by language of each disposition's code, names by phone user, queues and
    the numbers that phones may dial; and the queues after whose callers he has a wrap-up only if he asks for it."""

    dispositions: Mapping[str, Mapping[str, str]]
    phones: Mapping[str, str]
    queues: Sequence[str]
    numbers: Sequence[str]
    wrap_up_when_asked: Sequence[str]


class Desk(Protocol):
    """The distributor as agents and supervisors see it."""

    async def set_state(self, agent: str, state: AgentWish, reason: str | None, *, by: str) -> AgentView:
        """Ask for a state; returns once that is on disk. Raises NotFound, Conflict. `by` is the asking user's id."""
        ...

    async def control_call(self, agent: str, wish: CallWish) -> None:
        """Do to the agent's own call what he wants. Raises NotFound (no call), InvalidInput (no such target)."""
        ...

    async def answer_offer(self, agent: str, offer: str, *, accept: bool) -> None:
        """Accept (console delivery) or decline an offer to the agent. Raises NotFound."""
        ...

    async def after_call(self, agent: str, wish: WrapUpWish) -> AgentView:
        """Finish or extend the wrap-up, say how the contact ended. Raises Conflict, InvalidInput (no such code)."""
        ...

    def options(self, agent: str | None) -> DeskOptions:
        """What `agent` may choose from; his own phone is not among the phones."""
        ...

    def agents(self) -> Sequence[AgentView]:
        """All configured agents, by name."""
        ...

    def queues(self) -> Sequence[QueueView]:
        """All configured queues, by name."""
        ...


class Status(Protocol):
    """Whether the server works, for people and for monitoring."""

    def status(self) -> Mapping[str, object]:
        """Counters and the health of each part; ids only."""
        ...

    def healthy(self) -> bool:
        """New calls are being taken."""
        ...

    def flows(self) -> Sequence[Mapping[str, object]]:
        """The loaded flows: id, version."""
        ...


class Presence(Protocol):
    """Told when an agent's first console comes and its last one goes; liveness, not availability."""

    def console_changed(self, agent: str, *, attached: bool) -> None:
        """Synchronous, cheap, must not raise."""
        ...
