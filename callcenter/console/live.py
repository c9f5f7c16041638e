"""The live view: what is going on now, folded from live events (docs/events.md), and who may see which part of it.

One fold for the server's snapshot and, in agent_ui/domain, the same fold in the browser: snapshot + events is a fresh
snapshot by construction, and tests/golden holds both folds to one log. Only events that change the view are named;
all others pass through. The rows hold ids; pops are the one place with names and numbers, in memory only.
"""

from collections.abc import Callable, Iterable
from typing import cast

import msgspec

from callcenter.console.protocol import AgentRow, ContactRow, EntryRow, OfferRow, Pop, PopUpdated, Snapshot
from callcenter.kernel.events import Envelope

BUSY_STATES = frozenset({"reserved", "on_contact", "wrap_up"})

# Where an event names the agent whom it concerns. `calls.bridge.joined` has an `agent` too, but that is a leg.
_HOLD = frozenset({"calls.bridge.held", "calls.bridge.resumed"})
_SUBJECT = frozenset({"acd.agent.state_changed", "acd.agent.next_state_chosen", "acd.presence.changed"})
_FIELD = frozenset(
    {
        "acd.offer.created",
        "acd.offer.accepted",
        "acd.offer.declined",
        "acd.offer.timed_out",
        "acd.offer.rescinded",
        "acd.offer.failed",
        "acd.entry.answered",
        "acd.disposition.chosen",
        "director.contact.transferred",
        "director.pop.sent",
    }
)


class LiveView:
    """Changed in place by `apply`; `snapshot` copies what one console may see."""

    def __init__(self) -> None:
        self.position = 0
        self.agents: dict[str, AgentRow] = {}
        self.contacts: dict[str, ContactRow] = {}
        self.entries: dict[str, EntryRow] = {}
        self.offers: dict[str, OfferRow] = {}
        self.pops: dict[str, Pop] = {}

    def apply(self, event: Envelope) -> None:
        """Fold one event. Unknown types, and things that the view never saw, change nothing but the position."""
        self.position = event.seq
        fold = _FOLDS.get(event.type)
        if fold is not None:
            fold(self, event)

    def agent_of(self, event: Envelope) -> str | None:
        """The agent whose own console gets `event`, None when it concerns no agent in particular."""
        if event.type in _FIELD:
            return cast("str | None", event.data.get("agent"))
        if event.type in _HOLD:
            return self.agent_on(event.subject)
        return event.subject if event.type in _SUBJECT else None

    def agent_on(self, contact: str) -> str | None:
        """The agent who is talking to `contact`."""
        talking = (row.id for row in self.agents.values() if row.contact == contact and row.state == "on_contact")
        return next(talking, None)

    def show_pop(self, pop: Pop) -> None:
        """Keep `pop` for consoles that connect while its call lasts."""
        self.pops[pop.offer] = pop

    def update_pop(self, update: PopUpdated) -> Pop | None:
        """The pop with its customer, None when it is gone."""
        pop = self.pops.get(update.offer)
        if pop is None:
            return None
        pop = self.pops[update.offer] = msgspec.structs.replace(
            pop, customer=update.customer, matches=update.matches, candidates=update.candidates
        )
        return pop

    def pops_of(self, agent: str | None) -> tuple[Pop, ...]:
        """The pops of `agent`, oldest first."""
        return tuple(pop for pop in self.pops.values() if pop.agent == agent)

    def pops_about(self, contact: str) -> tuple[Pop, ...]:
        """The pops of `contact`, on whosever screen."""
        return tuple(pop for pop in self.pops.values() if pop.contact == contact)

    def snapshot(self, *, agent: str | None, sees_all: bool) -> Snapshot:
        """What a console sees: all rows with live.read, else the agent's own; pops are always one's own."""
        return Snapshot(
            positions={"live": self.position},
            agents=tuple(row for row in self.agents.values() if sees_all or row.id == agent),
            contacts=tuple(self.contacts.values()) if sees_all else (),
            entries=tuple(self.entries.values()) if sees_all else (),
            offers=tuple(row for row in self.offers.values() if sees_all or row.agent == agent),
            pops=self.pops_of(agent),
        )

    def forget_pops(self, doomed: Iterable[str]) -> None:
        """Remove the pops of these offers."""
        for offer in doomed:
            self.pops.pop(offer, None)


def _agent_state(view: LiveView, event: Envelope) -> None:
    row = view.agents.get(event.subject) or AgentRow(id=event.subject)
    data = event.data
    state = str(data["state"])
    view.agents[event.subject] = msgspec.structs.replace(
        row,
        state=state,
        reason=data.get("reason"),
        contact=data.get("contact"),
        since=data.get("since"),
        until=data.get("until"),
        next=_next_after(row, state),
        held=row.held and state == "on_contact" and data.get("contact") == row.contact,
    )
    if state not in BUSY_STATES:
        view.forget_pops([pop.offer for pop in view.pops_of(event.subject)])


def _next_after(row: AgentRow, state: str) -> str | None:
    """Whoever was not ready when a contact of another kind reached him goes back to that."""
    if state not in BUSY_STATES:
        return None
    return row.next if row.state in BUSY_STATES or row.state == "available" else "not_ready"


def _next_state(view: LiveView, event: Envelope) -> None:
    row = view.agents.get(event.subject) or AgentRow(id=event.subject)
    state = str(event.data["state"])
    view.agents[event.subject] = msgspec.structs.replace(row, next=None if state == "available" else state)


def _presence(view: LiveView, event: Envelope) -> None:
    row = view.agents.get(event.subject) or AgentRow(id=event.subject)
    view.agents[event.subject] = msgspec.structs.replace(
        row, phone=bool(event.data.get("phone")), console=bool(event.data.get("console"))
    )


def _hold(view: LiveView, event: Envelope) -> None:
    agent = view.agent_on(event.subject)
    if agent is not None:
        held = event.type == "calls.bridge.held"
        view.agents[agent] = msgspec.structs.replace(view.agents[agent], held=held)


def _contact_received(view: LiveView, event: Envelope) -> None:
    view.contacts[event.subject] = ContactRow(id=event.subject, stage="arrived", since=event.at)


def _stage(view: LiveView, event: Envelope, stage: str, **changes: str | None) -> None:
    row = view.contacts.get(event.subject)
    if row is not None:
        view.contacts[event.subject] = msgspec.structs.replace(row, stage=stage, **changes)


def _flow_started(view: LiveView, event: Envelope) -> None:
    _stage(view, event, "flow")


def _queued(view: LiveView, event: Envelope) -> None:
    entry, queue = str(event.data["entry"]), str(event.data["queue"])
    since, callback = event.moment("since") or event.at, event.data.get("callback") is True
    view.entries[entry] = EntryRow(id=entry, contact=event.subject, queue=queue, since=since, callback=callback)
    _stage(view, event, "waiting", queue=queue)


def _answered(view: LiveView, event: Envelope) -> None:
    view.entries.pop(str(event.data["entry"]), None)
    _stage(view, event, "talking", agent=cast("str | None", event.data.get("agent")))


def _entry_gone(view: LiveView, event: Envelope) -> None:
    view.entries.pop(str(event.data["entry"]), None)
    _stage(view, event, "flow", queue=None)


def _offered(view: LiveView, event: Envelope) -> None:
    data = event.data
    offer = str(data["offer"])
    view.offers[offer] = OfferRow(
        id=offer,
        contact=event.subject,
        entry=str(data["entry"]),
        queue=str(data["queue"]),
        agent=str(data["agent"]),
        ring_until=cast("str | None", data.get("ring_until")),
        delivery=str(data.get("delivery", "phone")),
    )


def _accepted(view: LiveView, event: Envelope) -> None:
    view.offers.pop(str(event.data["offer"]), None)


def _offer_gone(view: LiveView, event: Envelope) -> None:
    offer = str(event.data["offer"])
    view.offers.pop(offer, None)
    view.pops.pop(offer, None)


def _contact_ended(view: LiveView, event: Envelope) -> None:
    view.contacts.pop(event.subject, None)


_FOLDS: dict[str, Callable[[LiveView, Envelope], None]] = {
    "acd.agent.state_changed": _agent_state,
    "acd.agent.next_state_chosen": _next_state,
    "acd.presence.changed": _presence,
    "calls.bridge.held": _hold,
    "calls.bridge.resumed": _hold,
    "calls.contact.received": _contact_received,
    "calls.contact.ended": _contact_ended,
    "ivr.flow.started": _flow_started,
    "acd.entry.queued": _queued,
    "acd.entry.answered": _answered,
    "acd.entry.abandoned": _entry_gone,
    "acd.entry.ended": _entry_gone,
    "acd.offer.created": _offered,
    "acd.offer.accepted": _accepted,
    "acd.offer.declined": _offer_gone,
    "acd.offer.timed_out": _offer_gone,
    "acd.offer.rescinded": _offer_gone,
    "acd.offer.failed": _offer_gone,
}
