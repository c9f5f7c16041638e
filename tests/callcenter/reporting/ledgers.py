"""Days of queues and agents as the rooms tell them, and terms to hold against them."""

from collections.abc import Mapping

from callcenter.kernel.events import Envelope
from callcenter.reporting.ledger import Ledger
from callcenter.reporting.queue_log import rendered
from callcenter.reporting.visits import QueueTerms
from tests.callcenter.reporting.stories import at

MEMBERS = {"ann": {"billing": 0}, "bob": {"billing": 2, "support": 0}}


class FixedTerms:
    """The same for every queue; members as given."""

    def __init__(self, members: Mapping[str, Mapping[str, int]] = MEMBERS, terms: QueueTerms | None = None) -> None:
        self.now = members
        self.terms = terms or QueueTerms()

    def of(self, queue: str) -> QueueTerms:
        return self.terms

    def skills(self, queue: str) -> tuple[str, ...]:
        return (f"{queue}_skill",)

    def members(self) -> Mapping[str, Mapping[str, int]]:
        return self.now

    def serves(self, agent: str, skills: Mapping[str, int]) -> Mapping[str, int]:
        return {skill: 10 - level for skill, level in skills.items()}


class Day:
    """Events of several subjects in the order in which they are told; times in seconds after the start."""

    def __init__(self) -> None:
        self.events: list[Envelope] = []

    def tell(self, seconds: float, type_: str, subject: str, **data: object) -> "Day":
        seq = len(self.events) + 1
        moment = at(round(seconds * 1000))
        self.events.append(Envelope("live", seq, f"e{seq}", 1, type_, moment, subject, data))
        return self

    # -- agents ---------------------------------------------------------------------------------------------------

    def starts(self, seconds: float) -> "Day":
        return self.tell(seconds, "acd.policy.loaded", "acd", version="v1")

    def agent(
        self, seconds: float, agent: str, state: str, reason: str | None = None, contact: str | None = None
    ) -> "Day":
        return self.tell(
            seconds,
            "acd.agent.state_changed",
            agent,
            state=state,
            reason=reason,
            contact=contact,
            since="",
            until=None,
        )

    def signs_in(self, seconds: float, agent: str) -> "Day":
        return self.agent(seconds, agent, "not_ready", "signed_in").agent(seconds, agent, "available")

    # -- calls ----------------------------------------------------------------------------------------------------

    def queued(self, seconds: float, call: str, queue: str = "billing", entry: str | None = None) -> "Day":
        return self.tell(seconds, "acd.entry.queued", call, entry=entry or f"{call}-1", queue=queue)

    def offered(self, seconds: float, call: str, agent: str, queue: str = "billing") -> "Day":
        self.tell(seconds, "acd.offer.created", call, offer="o", fence=1, entry="", queue=queue, agent=agent)
        self.agent(seconds, agent, "reserved", contact=call)
        return self.tell(
            seconds, "calls.leg.invited", call, leg=f"{call}-{agent}", role="agent", endpoint=f"phone-{agent}"
        )

    def over(self, seconds: float, call: str, agent: str, result: str, **data: object) -> "Day":
        return self.tell(seconds, f"acd.offer.{result}", call, offer="o", agent=agent, **data)

    def answered(
        self,
        seconds: float,
        call: str,
        agent: str,
        wait_s: float,
        *,
        entry: str | None = None,
        queue: str = "billing",
    ) -> "Day":
        self.over(seconds, call, agent, "accepted")
        wait_ms = round(wait_s * 1000)
        self.tell(
            seconds, "acd.entry.answered", call, entry=entry or f"{call}-1", queue=queue, agent=agent, wait_ms=wait_ms
        )
        self.agent(seconds, agent, "on_contact", contact=call)
        return self.tell(
            seconds, "calls.bridge.joined", call, customer=f"{call}-in", agent=f"{call}-{agent}", recording=None
        )

    def hangs_up(self, seconds: float, call: str, agent: str, by: str, wrap_up_s: float = 0) -> "Day":
        """The caller or the agent; the agent is done `wrap_up_s` later."""
        legs = [(f"{call}-in", "us"), (f"{call}-{agent}", "us")]
        first = 0 if by == "caller" else 1
        self.tell(
            seconds,
            "calls.leg.ended",
            call,
            leg=legs[first][0],
            by="peer",
            reason="hangup",
            status=None,
            answered=True,
        )
        if wrap_up_s:
            self.agent(seconds, agent, "wrap_up", contact=call)
        self.agent(seconds + wrap_up_s, agent, "available")
        other = legs[1 - first][0]
        self.tell(seconds, "calls.leg.ended", call, leg=other, by="us", reason="hangup", status=None, answered=True)
        return self.tell(seconds, "calls.contact.ended", call, by=by, reason="hangup", status=None)

    def leaves(self, seconds: float, call: str, what: str, wait_s: float, **data: object) -> "Day":
        wait_ms, entry = round(wait_s * 1000), data.pop("entry", f"{call}-1")
        return self.tell(seconds, f"acd.entry.{what}", call, entry=entry, queue="billing", wait_ms=wait_ms, **data)

    # -- what comes of it -------------------------------------------------------------------------------------------

    def entered_in(self, ledger: Ledger) -> Ledger:
        for event in self.events:
            ledger.handle(event)
        return ledger

    def log(self, people: Mapping[str, str] | None = None, terms: FixedTerms | None = None) -> list[str]:
        """The lines of the queue_log, `people` by call."""
        first = next((event.seq for event in self.events if event.type == "acd.policy.loaded"), 0)
        lines = self.entered_in(Ledger(terms or FixedTerms(), start=first)).take()[2]
        return [rendered(line, (people or {}).get(line.contact or "")) for line in lines]
