"""What happens to a contact, told in order: builds the events that the rooms would have recorded."""

from datetime import UTC, datetime, timedelta

from callcenter.kernel.events import Envelope

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(ms: int) -> datetime:
    return START + timedelta(milliseconds=ms)


class Story:
    """One contact's events; each line says when (ms after the start), what, and to whom."""

    def __init__(self, contact: str = "c1") -> None:
        self.contact = contact
        self.events: list[Envelope] = []

    def tell(self, ms: int, type_: str, **data: object) -> "Story":
        seq = len(self.events) + 1
        self.events.append(Envelope("live", seq, f"e{seq}", 1, type_, at(ms), self.contact, data))
        return self

    def received(self, ms: int = 0, source_kind: str = "trunk", source: str = "carrier") -> "Story":
        return self.tell(ms, "calls.contact.received", leg="in", source_kind=source_kind, source=source)

    def answered(self, ms: int, leg: str = "in") -> "Story":
        return self.tell(ms, "calls.leg.answered", leg=leg)

    def rings(self, ms: int, leg: str, role: str, endpoint: str) -> "Story":
        self.tell(ms, "calls.leg.invited", leg=leg, role=role, endpoint=endpoint)
        return self.tell(ms + 20, "calls.leg.ringing", leg=leg, status=180)

    def leg_ended(
        self, ms: int, leg: str = "in", by: str = "peer", reason: str = "hangup", status: int | None = None
    ) -> "Story":
        return self.tell(ms, "calls.leg.ended", leg=leg, by=by, reason=reason, status=status, answered=True)

    def closed(self, ms: int, leg: str = "in", **stats: int) -> "Story":
        return self.tell(ms, "calls.media.closed", leg=leg, stats=stats)

    def ended(self, ms: int, by: str = "caller", reason: str = "hangup", status: int | None = None) -> "Story":
        return self.tell(ms, "calls.contact.ended", by=by, reason=reason, status=status)

    def queued(self, ms: int, entry: str = "q1", queue: str = "billing") -> "Story":
        return self.tell(ms, "acd.entry.queued", entry=entry, queue=queue)

    def offered(self, ms: int, agent: str, offer: str = "o1", entry: str = "q1") -> "Story":
        return self.tell(ms, "acd.offer.created", offer=offer, entry=entry, queue="billing", agent=agent)


def agent_call(contact: str = "c1", entry: str = "q1", *, agent: str = "ann", customer: str = "cust7") -> Story:
    """A customer through menu and queue to `agent`, recorded, hung up by the customer after a minute of talk."""
    story = Story(contact).received().tell(1, "director.customer.found", customer=customer, matches=1)
    story.tell(2, "ivr.flow.started", flow="main", version="ab12").tell(
        2, "ivr.node.entered", node="hello", kind="menu"
    )
    story.answered(40).tell(2_000, "ivr.digits.collected", node="hello", count=1, masked=False)
    story.tell(2_000, "ivr.node.left", node="hello", branch="2")
    story.tell(2_000, "ivr.node.entered", node="wait", kind="queue").queued(2_010, entry)
    story.offered(5_000, agent, entry=entry).rings(5_010, "out", "agent", "phone1").answered(8_000, "out")
    story.tell(8_005, "acd.offer.accepted", offer="o1", agent=agent)
    story.tell(8_005, "acd.entry.answered", entry=entry, queue="billing", agent=agent, wait_ms=5_995)
    story.tell(8_010, "calls.bridge.joined", customer="in", agent="out", recording="r.wav")
    story.tell(8_010, "calls.recording.started", recording="r.wav")
    story.leg_ended(68_010).tell(68_010, "calls.bridge.parted", customer="in", agent="out")
    story.leg_ended(68_030, "out", by="us")
    story.closed(68_050, packets_received=3_400, packets_lost=3, jitter_us=700, largest_gap_ms=41)
    story.tell(68_050, "calls.recording.ended", recording="r.wav", duration_ms=60_000, truncated=False)
    return story.closed(68_060, "out", packets_received=3_000, packets_lost=0).ended(68_060)
