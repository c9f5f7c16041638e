"""Live events as the journal would number them."""

from datetime import UTC, datetime

from callcenter.kernel.events import Envelope

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def event(seq: int, type_: str, subject: str, **data: object) -> Envelope:
    """One committed live event."""
    return Envelope("live", seq, f"e{seq}", 1, type_, AT, subject, data)


def state(seq: int, agent: str, state: str, contact: str | None = None) -> Envelope:
    """acd.agent.state_changed"""
    since = AT.isoformat()
    return event(
        seq, "acd.agent.state_changed", agent, state=state, reason=None, contact=contact, since=since, until=None
    )


def offered(seq: int, offer: str, agent: str, contact: str = "c1") -> Envelope:
    """acd.offer.created"""
    return event(
        seq,
        "acd.offer.created",
        contact,
        offer=offer,
        entry="q1",
        queue="billing",
        agent=agent,
        delivery="phone",
        ring_until=AT.isoformat(),
    )


def a_call(first: int = 1, contact: str = "c1", agent: str = "ann") -> list[Envelope]:
    """A queued call that `agent` answers, with all its events."""
    drafts: list[tuple[str, str, dict[str, object]]] = [
        ("acd.agent.state_changed", agent, {"state": "available", "reason": None, "contact": None}),
        ("calls.contact.received", contact, {"leg": "l1", "source_kind": "trunk", "source": "carrier"}),
        ("ivr.flow.started", contact, {"flow": "main", "version": "1"}),
        ("acd.entry.queued", contact, {"entry": f"q-{contact}", "queue": "billing"}),
        (
            "acd.offer.created",
            contact,
            {"offer": f"o-{contact}", "entry": f"q-{contact}", "queue": "billing", "agent": agent},
        ),
        ("acd.agent.state_changed", agent, {"state": "reserved", "reason": None, "contact": contact}),
        ("director.pop.sent", contact, {"offer": f"o-{contact}", "agent": agent, "customer": None}),
        ("acd.offer.accepted", contact, {"offer": f"o-{contact}", "agent": agent}),
        (
            "acd.entry.answered",
            contact,
            {"entry": f"q-{contact}", "queue": "billing", "agent": agent, "wait_ms": 900},
        ),
        ("acd.agent.state_changed", agent, {"state": "on_contact", "reason": None, "contact": contact}),
        ("calls.bridge.joined", contact, {"customer": "l1", "agent": "l2", "recording": None}),
        ("calls.contact.ended", contact, {"by": "caller", "reason": "hangup", "status": None}),
        ("acd.agent.state_changed", agent, {"state": "wrap_up", "reason": None, "contact": contact}),
        ("acd.agent.state_changed", agent, {"state": "available", "reason": None, "contact": None}),
    ]
    return [event(first + index, type_, subject, **data) for index, (type_, subject, data) in enumerate(drafts)]
