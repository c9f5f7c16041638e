"""In-memory ports of the web application, and the application around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from acd.reading import NothingLogged
from callcenter.app.asgi import Ports
from callcenter.console.ports import (
    AgentView,
    AgentWish,
    CallFilter,
    CallPage,
    CallWish,
    DeskOptions,
    Permission,
    Principal,
    QueueView,
    SignedIn,
    WrapUpWish,
)
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import NotAuthenticated, NotFound
from callcenter.kernel.ids import counted_ids
from tests.support.customers import FakeCustomerPorts
from tests.support.experiments import FakeLaboratory
from tests.support.metrics import FakeMetrics
from tests.support.policy import FakePolicy
from tests.support.supervision import FakeSupervision
from tests.support.tickets import FakeTickets

AGENT: frozenset[Permission] = frozenset(
    {
        "agents.read",
        "queues.read",
        "desk.use",
        "customers.read",
        "customers.write",
        "tickets.read",
        "tickets.write",
    }
)
SUPERVISOR: frozenset[Permission] = AGENT | {
    "calls.read",
    "calls.listen",
    "agents.control",
    "queues.control",
    "live.read",
    "status.read",
    "customers.import",
}
QUALITY: frozenset[Permission] = frozenset(
    {"calls.read", "calls.listen", "agents.read", "customers.read", "tickets.read"}
)
ADMINISTRATOR: frozenset[Permission] = SUPERVISOR | {"config.read", "api.read", "policy.manage"}
ROLES: Mapping[str, frozenset[Permission]] = {
    "agent": AGENT,
    "supervisor": SUPERVISOR,
    "quality": QUALITY,
    "administrator": ADMINISTRATOR,
}

PASSWORD = "correct horse"
TICKET_S = 60


def principal(login: str, role: str, *, session: str = "session1") -> Principal:
    """Ann, an agent, is user `user-ann` and agent `ann`."""
    agent = login if role == "agent" else None
    return Principal(
        session=session,
        user=f"user-{login}",
        login=login,
        name=login.title(),
        role=role,
        permissions=frozenset(ROLES[role]),
        agent=agent,
    )


@dataclass
class FakeIdentity:
    """One user for each role, all with `PASSWORD`; ann and bob are agents."""

    clock: FakeClock = field(default_factory=FakeClock)
    users: dict[str, str] = field(
        default_factory=lambda: {
            "ann": "agent",
            "bob": "agent",
            "sue": "supervisor",
            "quinn": "quality",
            "root": "administrator",
        }
    )

    def __post_init__(self) -> None:
        self.sessions: dict[str, Principal] = {}
        self.tickets: dict[str, tuple[Principal, float]] = {}
        self._ids = counted_ids("secret")

    async def sign_in(self, login: str, password: str, *, source: str) -> SignedIn:
        if login not in self.users or password != PASSWORD:
            raise NotAuthenticated("Login or password is wrong.")
        token = self._ids()
        self.sessions[token] = principal(login, self.users[login], session=f"session-{token}")
        return SignedIn(token, self.sessions[token])

    async def principal(self, token: str) -> Principal | None:
        return self.sessions.get(token)

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)

    async def end_others(self, principal: Principal) -> None:
        kept = {token: each for token, each in self.sessions.items() if each.session == principal.session}
        others = {token: each for token, each in self.sessions.items() if each.user != principal.user}
        self.sessions = {**others, **kept}

    async def issue_ticket(self, principal: Principal) -> str:
        ticket = self._ids()
        self.tickets[ticket] = (principal, self.clock.now().timestamp() + TICKET_S)
        return ticket

    async def redeem_ticket(self, ticket: str) -> Principal | None:
        principal, until = self.tickets.pop(ticket, (None, 0.0))
        return principal if self.clock.now().timestamp() < until else None

    async def names(self) -> Mapping[str, str]:
        return {f"user-{login}": login.title() for login in self.users}


@dataclass
class FakeCalls:
    """Call detail records by contact; a `recordings` key names the files."""

    records: dict[str, dict[str, object]] = field(default_factory=dict)

    async def list(self, query: CallFilter) -> CallPage:
        contacts = sorted(self.records, reverse=True)
        rest = [one for one in contacts if query.after is None or one < query.after]
        page = rest[: query.limit]
        return CallPage([self.records[one] for one in page], page[-1] if len(rest) > len(page) else None)

    async def show(self, contact: str) -> Mapping[str, object] | None:
        return self.records.get(contact)

    async def recordings(self, contact: str) -> Sequence[str]:
        names = self.records.get(contact, {}).get("recordings", [])
        assert isinstance(names, list)
        return names


class FakeDecisions:
    """One call that can be explained, c1."""

    async def why(self, contact: str) -> Mapping[str, object]:
        if contact != "c1":
            raise NothingLogged("no such call has waited in a queue")
        return {"contact": contact, "steps": [], "replayed": True, "divergence": None}


class FakeDesk:
    """Two agents and a queue."""

    def __init__(self) -> None:
        self.views = {one: _agent(one) for one in ("ann", "bob")}
        self.asked: list[tuple[str, str, str | None, str]] = []
        self.wishes: list[tuple[str, object]] = []

    async def set_state(self, agent: str, state: AgentWish, reason: str | None, *, by: str) -> AgentView:
        if agent not in self.views:
            raise NotFound("There is no such agent.")
        self.asked.append((agent, state, reason, by))
        self.views[agent] = replace(self.views[agent], state=state, reason=reason)
        return self.views[agent]

    async def control_call(self, agent: str, wish: CallWish) -> None:
        self.wishes.append((agent, wish))

    async def answer_offer(self, agent: str, offer: str, *, accept: bool) -> None:
        self.wishes.append((agent, (offer, accept)))

    async def after_call(self, agent: str, wish: WrapUpWish) -> AgentView:
        self.wishes.append((agent, wish))
        return self.views[agent]

    def options(self, agent: str | None) -> DeskOptions:
        return DeskOptions(
            {"resolved": {"en": "Resolved"}}, {"1004": "Front desk"}, ["billing"], ["200"], ["billing"]
        )

    def agents(self) -> Sequence[AgentView]:
        return list(self.views.values())

    def queues(self) -> Sequence[QueueView]:
        return [QueueView("billing", "Billing", waiting=0, longest_wait_ms=None, agents_available=1)]


def _agent(name: str) -> AgentView:
    return AgentView(
        name, name.title(), "logged_out", None, None, None, None, {"billing": 3}, phone=True, console=False
    )


class FakeStatus:
    """A server in good health."""

    def __init__(self) -> None:
        self.well = True

    def status(self) -> Mapping[str, object]:
        return {"calls": 0}

    def healthy(self) -> bool:
        return self.well

    def flows(self) -> Sequence[Mapping[str, object]]:
        return [{"id": "main", "version": "1"}]


@dataclass
class FakePorts:
    """All of them, with the folders that the application serves from."""

    folder: Path
    identity: FakeIdentity = field(default_factory=FakeIdentity)
    calls: FakeCalls = field(default_factory=FakeCalls)
    desk: FakeDesk = field(default_factory=FakeDesk)
    status: FakeStatus = field(default_factory=FakeStatus)
    customers: FakeCustomerPorts = field(default_factory=FakeCustomerPorts)
    tickets: FakeTickets = field(default_factory=FakeTickets)
    policy: FakePolicy = field(default_factory=FakePolicy)
    decisions: FakeDecisions = field(default_factory=FakeDecisions)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    supervision: FakeSupervision = field(default_factory=FakeSupervision)
    laboratory: FakeLaboratory = field(default_factory=FakeLaboratory)

    def __post_init__(self) -> None:
        self.recordings = self.folder / "recordings"
        self.dist = self.folder / "dist"
        self.recordings.mkdir(exist_ok=True)

    def ports(self) -> Ports:
        """As `create_app` takes them."""
        customers = self.customers.ports()
        return Ports(
            self.identity,
            self.calls,
            self.desk,
            self.status,
            customers,
            self.tickets,
            self.policy,
            decisions=self.decisions,
            metrics=self.metrics,
            supervision=self.supervision,
            laboratory=self.laboratory,
        )
