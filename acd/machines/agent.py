"""Agent: what one person is doing and what he will do next (acd.md sections 1 and 3)."""

# Theory. State and presence are apart: a phone that goes away makes nobody "not ready", it only keeps offers from
# him. `contact` is the live contact in on_contact, the contact worked on in wrap_up, the caller's in reserved, and
# the call of one who is signed out. While he is reserved, talking or wrapping up, wishes are kept in `next` and come
# true afterwards: nothing that he presses stirs an offer that rings (signing out excepted, which the distributor
# answers by rescinding it). Contacts of other channels are held beside all this: they leave the state alone, and keep
# calls away unless they may be interrupted. `idle_since` is his place in the idle order: kept when an offer is taken
# back without his doing, renewed when he let it go. A wrap-up ends at `until`; without, only when he says so. A phone
# that cannot be rung rests for a time that doubles, so it is never rung in a loop.
#
#   logged_out --AgentSignedIn--> not_ready(signed_in), or on_contact when a call of his is up
#   not_ready --AgentWentAvailable--> available --AgentWentNotReady--> not_ready(reason)
#   available --Reserve--> reserved --Connect--> on_contact
#   reserved --Release--> next; after a miss too many of his own: not_ready(no_answer)
#   not_ready | available | reserved | wrap_up --ContactStarted--> on_contact
#   on_contact --Part--> wrap_up, or next without wrap-up
#   wrap_up --Lapse >= until | WrapUpFinished--> next;  any wish for a state ends wrap_up at once
#   any --AgentSignedOut--> logged_out, from reserved and on_contact by way of next; AgentForcedOut at once

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from acd import commands, events
from acd.machines.frozen import replaced
from acd.model import (
    GO_ON,
    AgentState,
    Channel,
    Delivery,
    FailureReason,
    NextState,
    Settings,
    Skills,
    WrapUpMode,
    milliseconds,
)
from acd.policies.order import Idle
from callcenter.kernel.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Reserve:
    """An offer is made to him, by input number `turn`."""

    offer: str
    contact: str
    wrap_up_s: int
    wrap_up: WrapUpMode = "timed"
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Connect:
    """He accepted `offer`."""

    offer: str


@dataclass(frozen=True, slots=True)
class Release:
    """`offer` is over without an answer; `missed_by_all`: other phones rang with his, and nobody answered."""

    offer: str
    cause: Literal["rescinded", "declined", "missed_by_all", "timed_out"] | FailureReason
    settings: Settings


@dataclass(frozen=True, slots=True)
class Part:
    """`contact` is over."""

    contact: str


@dataclass(frozen=True, slots=True)
class Held:
    """A contact of another channel than voice. `interruptible`: a call may come in besides."""

    contact: str
    channel: Channel
    interruptible: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """He has `contact` too, of a channel of which he may have `most`."""

    contact: str
    channel: Channel
    most: int
    interruptible: bool


@dataclass(frozen=True, slots=True)
class LetGo:
    """The held `contact` is over."""

    contact: str
    most: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """Time has gone on."""


Obstacle = Literal[
    "logged_out",
    "not_ready",
    "reserved",
    "on_contact",
    "on_other_contact",
    "wrap_up",
    "rests",
    "phone_away",
    "console_away",
]
AgentInput = commands.AgentInput | Reserve | Connect | Release | Part | Hold | LetGo | Lapse
Step = tuple["Agent", list[events.Event]]


@dataclass(frozen=True)
class Agent:
    """`until` ends a wrap-up; `rests_until` a back-off. Instants are UTC to the millisecond.

    `direct`: his contact came through no queue (he may be its caller, and wait in a queue himself). `contacts` counts
    those of queues since he signed in, `inbound_at` is when he last had one or let one go, `turn` the input that last
    offered him one. `asks`: he wants a wrap-up after this contact.
    """

    id: str
    since: datetime
    idle_since: datetime
    state: AgentState = "logged_out"
    reason: str | None = None
    contact: str | None = None
    direct: bool = False
    offer: str | None = None
    next: NextState = GO_ON
    wrap_up_s: int = 0
    until: datetime | None = None
    misses: int = 0
    failures: int = 0
    rests_until: datetime | None = None
    phone: bool = False
    console: bool = False
    trained: Skills | None = None
    """What he can do, where a supervisor has said so against the configuration."""
    wrap_up: WrapUpMode = "timed"
    asks: bool = False
    contacts: int = 0
    inbound_at: datetime | None = None
    turn: int = 0
    held: tuple[Held, ...] = ()

    @property
    def idle(self) -> Idle:
        """What the orders of the queues look at."""
        inbound_ms = 0 if self.inbound_at is None else milliseconds(self.inbound_at)
        return Idle(self.id, milliseconds(self.idle_since), inbound_ms, self.contacts, self.turn)

    @property
    def live_contact(self) -> str | None:
        """The contact that he talks to now."""
        return self.contact if self.state in ("on_contact", "logged_out") else None

    @property
    def next_deadline(self) -> datetime | None:
        if self.state == "wrap_up":
            return self.until
        return self.rests_until if self.state == "available" else None

    def obstacle(self, delivery: Delivery) -> Obstacle | None:
        """What keeps contacts from him now; None: he can be offered one."""
        if self.state != "available":
            return self.state
        if self.held and not all(each.interruptible for each in self.held):
            return "on_other_contact"
        if self.rests_until is not None:
            return "rests"
        if not self.phone:
            return "phone_away"
        return None if delivery == "phone" or self.console else "console_away"

    def can_be_offered(self, delivery: Delivery) -> bool:
        """Whether a contact may be offered to him now."""
        return self.obstacle(delivery) is None

    def handle(self, event: AgentInput, *, now: datetime) -> Step:
        """The agent after `event`, and what happened.

        Inputs of people and of the network are legal in each state, the distributor's own only where the diagram has
        them: else IllegalTransition.
        """
        transition = TRANSITIONS.get((self.state, type(event)))
        if transition is None:
            raise IllegalTransition("agent", self.state, event)
        return transition(self, event, now)


def _changed(agent: Agent) -> Step:
    changed = events.AgentStateChanged(
        agent=agent.id,
        state=agent.state,
        reason=agent.reason,
        contact=None if agent.state == "logged_out" else agent.contact,
        since=agent.since,
        until=agent.until if agent.state == "wrap_up" else agent.rests_until,
    )
    return agent, [changed]


def _enter(agent: Agent, to: NextState, now: datetime, idle_since: datetime) -> Step:
    """Into a state of rest: nothing is left of the contact before."""
    resting = replaced(
        agent,
        state=to.state,
        reason=to.reason,
        since=now,
        idle_since=idle_since,
        contact=None,
        direct=False,
        offer=None,
        next=GO_ON,
        wrap_up_s=0,
        wrap_up="timed",
        asks=False,
        until=None,
        rests_until=None,
    )
    return _changed(resting)


def _refused(agent: Agent, event: AgentInput, reason: str) -> Step:
    return agent, [events.InputRefused(agent.id, type(event).__name__, reason)]


def _not_signed_in(agent: Agent, event: AgentInput, _now: datetime) -> Step:
    return _refused(agent, event, "not_signed_in")


def _ignore(agent: Agent, _event: AgentInput, _now: datetime) -> Step:
    return agent, []


# -- wishes ----------------------------------------------------------------------------------------------------


def _sign_in(agent: Agent, _event: commands.AgentSignedIn, now: datetime) -> Step:
    fresh = replaced(agent, misses=0, failures=0, contacts=0)
    there = NextState("not_ready", "signed_in")
    if agent.contact is None:
        return _enter(fresh, there, now, now)
    return _changed(replaced(fresh, state="on_contact", reason=None, since=now, next=there))


def _sign_out(agent: Agent, _event: commands.AgentSignedOut, now: datetime) -> Step:
    return _enter(agent, NextState("logged_out"), now, now)


def _force_out(agent: Agent, _event: commands.AgentForcedOut, now: datetime) -> Step:
    """His call goes on without him in the queues; nothing follows it."""
    out = replaced(agent, state="logged_out", reason=None, since=now, idle_since=now, next=GO_ON, wrap_up_s=0)
    return _changed(replaced(out, until=None, rests_until=None))


def _learn(agent: Agent, event: commands.AgentSkillsChanged, _now: datetime) -> Step:
    if agent.trained == event.skills:
        return agent, []
    return replaced(agent, trained=event.skills), [events.AgentSkillsChanged(agent.id, event.skills)]


def _go_available(agent: Agent, _event: commands.AgentWentAvailable, now: datetime) -> Step:
    return _enter(replaced(agent, misses=0, failures=0), GO_ON, now, now)


def _go_not_ready(agent: Agent, event: commands.AgentWentNotReady, now: datetime) -> Step:
    if agent.state == "not_ready" and agent.reason == event.reason:
        return agent, []
    return _enter(agent, NextState("not_ready", event.reason), now, now)


def _choose_available(agent: Agent, _event: commands.AgentWentAvailable, _now: datetime) -> Step:
    return _choose(agent, GO_ON)


def _choose_not_ready(agent: Agent, event: commands.AgentWentNotReady, _now: datetime) -> Step:
    return _choose(agent, NextState("not_ready", event.reason))


def _choose_signed_out(agent: Agent, _event: commands.AgentSignedOut, _now: datetime) -> Step:
    return _choose(agent, NextState("logged_out"))


def _choose(agent: Agent, wish: NextState) -> Step:
    if agent.next == wish:
        return agent, []
    return replaced(agent, next=wish), [events.NextStateChosen(agent.id, wish.state, wish.reason)]


def _see(agent: Agent, event: commands.PresenceChanged, _now: datetime) -> Step:
    phone = agent.phone if event.phone is None else event.phone
    console = agent.console if event.console is None else event.console
    if (phone, console) == (agent.phone, agent.console):
        return agent, []
    seen = replaced(agent, phone=phone, console=console)
    told: list[events.Event] = [events.PresenceChanged(agent.id, phone, console)]
    if phone and not agent.phone and agent.rests_until is not None:
        # The phone has come back: whatever it could not do before is over.
        seen, changed = _changed(replaced(seen, rests_until=None, reason=None, failures=0))
        told += changed
    return seen, told


# -- offers ----------------------------------------------------------------------------------------------------


def _reserve(agent: Agent, event: Reserve, now: datetime) -> Step:
    return _changed(
        replaced(
            agent,
            state="reserved",
            reason=None,
            since=now,
            contact=event.contact,
            offer=event.offer,
            wrap_up_s=event.wrap_up_s,
            wrap_up=event.wrap_up,
            turn=event.turn,
        )
    )


def _connect(agent: Agent, _event: Connect, now: datetime) -> Step:
    return _changed(
        replaced(agent, state="on_contact", since=now, offer=None, misses=0, failures=0, contacts=agent.contacts + 1)
    )


def _release(agent: Agent, event: Release, now: datetime) -> Step:
    wish, settings = agent.next, event.settings
    if event.cause == "rescinded":
        return _enter(agent, wish, now, agent.idle_since)
    if event.cause in ("declined", "missed_by_all"):
        return _enter(replaced(agent, inbound_at=now), wish, now, now)
    if event.cause == "timed_out":
        missed = replaced(agent, misses=agent.misses + 1, inbound_at=now)
        if missed.misses >= settings.misses and wish.state == "available":
            wish = NextState("not_ready", "no_answer")
        return _enter(missed, wish, now, now)
    failed = replaced(agent, failures=agent.failures + 1, inbound_at=now)
    if wish.state != "available":
        return _enter(failed, wish, now, now)
    resting, _ = _enter(failed, NextState("available", event.cause), now, now)
    rest_s = min(settings.back_off_s * 2 ** min(agent.failures, 10), settings.back_off_max_s)
    return _changed(replaced(resting, rests_until=now + timedelta(seconds=rest_s)))


# -- contacts --------------------------------------------------------------------------------------------------


def _start(agent: Agent, event: commands.ContactStarted, now: datetime) -> Step:
    after = NextState("not_ready", agent.reason) if agent.state == "not_ready" else agent.next
    return _changed(
        replaced(
            agent,
            state="on_contact",
            reason=None,
            since=now,
            contact=event.contact,
            direct=True,
            offer=None,
            next=after,
            wrap_up_s=0,
            wrap_up="mandatory" if agent.state == "wrap_up" and agent.until is None else "timed",
            asks=False,
            rests_until=None,
        )
    )


def _start_signed_out(agent: Agent, event: commands.ContactStarted, _now: datetime) -> Step:
    if agent.contact is not None:
        return _refused(agent, event, "already_on_contact")
    return replaced(agent, contact=event.contact, direct=True), []


def _start_another(agent: Agent, event: commands.ContactStarted, _now: datetime) -> Step:
    return (agent, []) if event.contact == agent.contact else _refused(agent, event, "already_on_contact")


def _part(agent: Agent, _event: Part, now: datetime) -> Step:
    served = agent if agent.direct else replaced(agent, inbound_at=now)
    if agent.wrap_up == "mandatory" or (agent.asks and not agent.wrap_up_s):
        return _wrap_up(served, None, now)
    if agent.wrap_up_s and (agent.wrap_up == "timed" or agent.asks):
        return _wrap_up(served, now + timedelta(seconds=agent.wrap_up_s), now)
    if agent.until is not None and agent.until > now:
        # The call came into a wrap-up: what is left of it goes on.
        return _wrap_up(served, agent.until, now)
    return _enter(served, agent.next, now, now)


def _wrap_up(agent: Agent, until: datetime | None, now: datetime) -> Step:
    return _changed(replaced(agent, state="wrap_up", since=now, wrap_up_s=0, asks=False, until=until))


def _part_signed_out(agent: Agent, _event: Part, _now: datetime) -> Step:
    return replaced(agent, contact=None, direct=False), []


def _finish(agent: Agent, _event: commands.WrapUpFinished, now: datetime) -> Step:
    return _enter(agent, agent.next, now, now)


def _extend(agent: Agent, event: commands.WrapUpExtended, _now: datetime) -> Step:
    if agent.until is None:
        return _refused(agent, event, "wrap_up_has_no_end")
    return _changed(replaced(agent, until=agent.until + timedelta(seconds=event.seconds)))


def _ask(agent: Agent, event: commands.WrapUpAsked, _now: datetime) -> Step:
    if agent.direct:
        return _refused(agent, event, "not_on_contact")
    if agent.asks:
        return agent, []
    return replaced(agent, asks=True), [events.WrapUpAsked(agent.id, agent.contact)]


def _no_contact(agent: Agent, event: AgentInput, _now: datetime) -> Step:
    return _refused(agent, event, "not_on_contact")


def _no_wrap_up(agent: Agent, event: AgentInput, _now: datetime) -> Step:
    return _refused(agent, event, "not_in_wrap_up")


def _dispose(agent: Agent, event: commands.DispositionChosen, _now: datetime) -> Step:
    if event.contact != agent.contact:
        return _refused(agent, event, "not_his_contact")
    return agent, [events.DispositionChosen(event.contact, agent.id, event.disposition)]


def _no_disposition(agent: Agent, event: AgentInput, _now: datetime) -> Step:
    return _refused(agent, event, "not_his_contact")


def _hold(agent: Agent, event: Hold, _now: datetime) -> Step:
    if any(each.contact == event.contact for each in agent.held):
        return agent, []
    held = _count(agent, event.channel)
    if held >= event.most:
        return _refused(agent, event, "at_capacity")
    taken = Held(event.contact, event.channel, event.interruptible)
    changed = events.LoadChanged(agent.id, event.contact, event.channel, held + 1, event.most)
    return replaced(agent, held=(*agent.held, taken)), [changed]


def _let_go(agent: Agent, event: LetGo, _now: datetime) -> Step:
    gone = next(each for each in agent.held if each.contact == event.contact)
    rest = replaced(agent, held=tuple(each for each in agent.held if each is not gone))
    left = _count(rest, gone.channel)
    return rest, [events.LoadChanged(agent.id, gone.contact, gone.channel, left, event.most)]


def _count(agent: Agent, channel: Channel) -> int:
    return sum(each.channel == channel for each in agent.held)


# -- time ------------------------------------------------------------------------------------------------------


def _lapse_available(agent: Agent, _event: Lapse, now: datetime) -> Step:
    if agent.rests_until is None or now < agent.rests_until:
        return agent, []
    return _changed(replaced(agent, rests_until=None, reason=None))


def _lapse_wrap_up(agent: Agent, _event: Lapse, now: datetime) -> Step:
    if agent.until is None or now < agent.until:
        return agent, []
    return _enter(agent, agent.next, now, now)


Transition = Callable[..., Step]
STATES: tuple[AgentState, ...] = ("logged_out", "not_ready", "available", "reserved", "on_contact", "wrap_up")
# Per input, what it does in each of STATES; None where only a bug could send it.
_TABLE: dict[type, tuple[Transition | None, ...]] = {
    commands.AgentSignedIn: (_sign_in, _ignore, _ignore, _ignore, _ignore, _ignore),
    commands.AgentSignedOut: (_ignore, _sign_out, _sign_out, _choose_signed_out, _choose_signed_out, _sign_out),
    commands.AgentWentAvailable: (
        *(_not_signed_in, _go_available, _ignore),
        *(_choose_available, _choose_available, _go_available),
    ),
    commands.AgentWentNotReady: (
        *(_not_signed_in, _go_not_ready, _go_not_ready),
        *(_choose_not_ready, _choose_not_ready, _go_not_ready),
    ),
    commands.AgentForcedOut: (_ignore, _sign_out, _sign_out, _choose_signed_out, _force_out, _sign_out),
    commands.AgentSkillsChanged: (_learn, _learn, _learn, _learn, _learn, _learn),
    commands.PresenceChanged: (_see, _see, _see, _see, _see, _see),
    commands.ContactStarted: (_start_signed_out, _start, _start, _start, _start_another, _start),
    commands.WrapUpFinished: (*(_no_wrap_up,) * 5, _finish),
    commands.WrapUpExtended: (*(_no_wrap_up,) * 5, _extend),
    commands.WrapUpAsked: (*(_no_contact,) * 4, _ask, _no_contact),
    commands.DispositionChosen: (*(_no_disposition,) * 4, _dispose, _dispose),
    Reserve: (None, None, _reserve, None, None, None),
    Connect: (None, None, None, _connect, None, None),
    Release: (None, None, None, _release, None, None),
    Hold: (_not_signed_in, _hold, _hold, _hold, _hold, _hold),
    LetGo: (_let_go, _let_go, _let_go, _let_go, _let_go, _let_go),
    Part: (_part_signed_out, None, None, None, _part, None),
    Lapse: (_ignore, _ignore, _lapse_available, _ignore, _ignore, _lapse_wrap_up),
}
TRANSITIONS: dict[tuple[AgentState, type], Transition] = {
    (state, event): transition
    for event, row in _TABLE.items()
    for state, transition in zip(STATES, row, strict=True)
    if transition is not None
}
