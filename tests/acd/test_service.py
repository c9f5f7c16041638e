"""The distributor with its journal: what a unit holds after an input, and what a restart and a replay make of it."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from acd import commands, events
from acd.config import load
from acd.machines.agent import Agent
from acd.model import AgentPolicy, Policy, QueuePolicy
from acd.replay import Divergence, Logged, replay
from acd.service import AcdService, Rows
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.codec import decode, encode
from callcenter.kernel.unit import Draft, Unit
from tests.support.acd_walk import seeded, walked

POLICY = Policy(
    "v1",
    queues=(QueuePolicy("billing", (("billing", 1),), wrap_up_s=15),),
    agents=(AgentPolicy("ann", (("billing", 3),)), AgentPolicy("bob", (("billing", 1),))),
)


class Site:
    """A service whose units are committed to memory: the log, and the rows as a database would hold them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.drafts: list[Draft] = []
        self.rows: dict[tuple[str, str], bytes] = {}
        self.service = AcdService()
        self.epoch = 0
        self.restarts()

    def restarts(self) -> None:
        self.epoch += 1
        self.service = AcdService()
        unit = Unit(self.clock.now())
        rows = Rows(*(self._of(kind) for kind in ("agent", "entry", "offer")))
        self.service.start(unit, POLICY, epoch=self.epoch, rows=rows)
        self._commit(unit)

    def _of(self, kind: str) -> list[tuple[str, bytes]]:
        return [(id_, blob) for (k, id_), blob in sorted(self.rows.items()) if k == kind]

    def tell(self, input_: commands.Input, *, at: datetime | None = None) -> Unit:
        unit = Unit(at or self.clock.now())
        self.service.handle(unit, input_)
        self._commit(unit)
        return unit

    def _commit(self, unit: Unit) -> None:
        self.drafts += unit.drafts
        for key, state in unit.states.items():
            if state is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = encode(state)

    def available(self, *agents: str) -> None:
        for agent in agents:
            self.tell(commands.AgentSignedIn(agent))
            self.tell(commands.PresenceChanged(agent, phone=True))
            self.tell(commands.AgentWentAvailable(agent))
            self.clock.advance(1)

    def log(self) -> list[Logged]:
        """The journal as it is read back: plain JSON values."""
        return list(_logged(self.drafts))


def _logged(drafts: Iterable[Draft]) -> Iterable[Logged]:
    for seq, draft in enumerate(drafts, start=1):
        yield Logged(seq, draft.kind, draft.type, draft.subject, decode(encode(draft.data), dict[str, object]))


@pytest.fixture
def site() -> Site:
    return Site()


def test_input_is_journalled_before_its_facts_with_number_and_instant(site: Site) -> None:
    site.available("ann")
    unit = site.tell(commands.EntryQueued("e1", "billing", contact="c1"))
    assert [(draft.kind, draft.type, draft.subject) for draft in unit.drafts] == [
        ("input", "acd.input.entry_queued", "e1"),
        ("event", "acd.entry.queued", "c1"),
        ("event", "acd.offer.created", "c1"),
        ("event", "acd.agent.state_changed", "ann"),
    ]
    assert unit.drafts[0].data == {
        "n": 1_000_000_005,
        "now": 1772442001000,
        "entry": "e1",
        "queue": "billing",
        "contact": "c1",
        "skills": (),
        "priority": 50,
        "enqueued_at": None,
        "requires": (),
        "head_start_s": 0,
        "preferred": None,
        "preferred_s": None,
        "callback_s": 0,
        "or_preferred": (),
    }


@pytest.mark.parametrize(("agent", "subject"), [("ann", "ann"), (None, "c1")])
def test_input_is_journalled_about_the_first_whom_it_names(site: Site, agent: str | None, subject: str) -> None:
    site.available("ann")
    assert site.tell(commands.ContactEnded("c1", agent)).drafts[0].subject == subject


def test_facts_have_the_words_of_the_wire(site: Site) -> None:
    site.available("ann")
    unit = site.tell(commands.EntryQueued("e1", "billing", contact="c1"))
    assert unit.drafts[2].data == {
        "offer": "e1-o1",
        "fence": 1,
        "entry": "e1",
        "queue": "billing",
        "agent": "ann",
        "delivery": "phone",
        "ring_until": "2026-03-02T09:00:21.000Z",
        "decision": {
            "input": 1_000_000_005,
            "policy": "v1",
            "ring": 1,
            "strategy": "longest_idle",
            "passed_over": {"excluded": 0, "later_in_order": 0, "unqualified": 0, "not_available": 1},
        },
    }
    assert unit.drafts[3].data == {
        "state": "reserved",
        "reason": None,
        "contact": "c1",
        "since": "2026-03-02T09:00:01.000Z",
        "until": None,
    }


def test_rows_of_what_changed_are_saved_and_of_what_ended_deleted(site: Site) -> None:
    site.available("ann")
    unit = site.tell(commands.EntryQueued("e1", "billing"))
    assert set(unit.states) == {("entry", "e1"), ("offer", "e1-o1"), ("agent", "ann")}
    unit = site.tell(commands.OfferAccepted("e1-o1", 1))
    assert unit.states["entry", "e1"] is unit.states["offer", "e1-o1"] is None
    assert set(site.rows) == {("agent", "ann"), ("estimate", "billing")}
    assert decode(site.rows["agent", "ann"], Agent) == site.service.core.agents["ann"]


def test_refusal_is_returned_and_is_no_fact(site: Site) -> None:
    unit = Unit(site.clock.now())
    told = site.service.handle(unit, commands.OfferAccepted("none-o1", 1))
    assert told == [events.InputRefused("none-o1", "OfferAccepted", "stale_offer")]
    assert [draft.kind for draft in unit.drafts] == ["input"]
    assert unit.states == {}


def test_early_tick_leaves_no_trace(site: Site) -> None:
    assert site.service.next_deadline is None
    assert site.tell(commands.Tick()).is_empty
    site.available("ann")
    site.tell(commands.EntryQueued("e1", "billing"))
    site.clock.advance(19.9)
    assert site.tell(commands.Tick()).is_empty
    site.clock.advance(0.1)
    assert [draft.type for draft in site.tell(commands.Tick()).drafts][:2] == [
        "acd.input.tick",
        "acd.offer.timed_out",
    ]


def test_restart_keeps_waits_offers_wrap_ups_and_reasons(site: Site) -> None:
    site.available("ann", "bob")
    for entry in ("e1", "e2", "e3", "e4"):
        site.tell(commands.EntryQueued(entry, "billing"))
        site.clock.advance(1)
    site.tell(commands.OfferAccepted("e1-o1", 1))
    site.tell(commands.ContactEnded("e1"))
    before = site.service.core
    agents, entries, offers = dict(before.agents), dict(before.entries), dict(before.offers)
    due = before.next_deadline
    site.restarts()
    after = site.service.core
    assert (dict(after.agents), dict(after.entries), dict(after.offers)) == (agents, entries, offers)
    assert after.next_deadline == due
    assert [after.position(entry) for entry in ("e3", "e4")] == [1, 2]


def test_log_over_restarts_replays_to_the_same_facts(site: Site) -> None:
    site.available("ann", "bob")
    for entry in ("e1", "e2", "e3"):
        site.tell(commands.EntryQueued(entry, "billing"))
    site.restarts()
    site.tell(commands.OfferAccepted("e1-o1", 1))
    site.clock.advance(20)
    site.tell(commands.Tick())
    site.tell(commands.ContactEnded("e1"))
    verdict = replay(site.log())
    assert verdict.divergence is None
    assert (verdict.inputs, verdict.facts) == (
        sum(draft.kind == "input" for draft in site.drafts),
        sum(draft.kind == "event" for draft in site.drafts),
    )


@pytest.mark.parametrize("seed", range(5))
def test_log_of_any_walk_replays(seed: int) -> None:
    site = Site()
    for now, input_ in walked(seeded(2000 + seed)).log:
        site.tell(input_, at=now)
    assert replay(site.log()).divergence is None


def test_replay_names_the_first_fact_that_differs(site: Site) -> None:
    site.available("ann")
    site.tell(commands.EntryQueued("e1", "billing"))
    log = site.log()
    index = next(i for i, line in enumerate(log) if line.type == "acd.offer.created")
    forged = Logged(log[index].seq, "event", log[index].type, log[index].subject, {**log[index].data, "agent": "bob"})
    divergence = replay([*log[:index], forged, *log[index + 1 :]]).divergence
    assert divergence is not None
    assert (divergence.seq, divergence.input) == (forged.seq, 1_000_000_005)
    assert '"agent":"bob"' in str(divergence.logged)
    assert '"agent":"ann"' in str(divergence.replayed)


def test_replay_names_a_fact_that_is_missing_and_one_that_is_too_many(site: Site) -> None:
    site.available("ann")
    site.tell(commands.EntryQueued("e1", "billing"))
    log = site.log()
    short = replay(log[:-1]).divergence
    assert short is not None
    assert (short.logged, short.replayed is None) == (None, False)
    early = replay([line for line in log if line.type != "acd.presence.changed"]).divergence
    assert isinstance(early, Divergence)
    long = replay([*log, log[-1]]).divergence
    assert long is not None
    assert (long.logged is None, long.replayed) == (False, None)


def test_replay_passes_over_the_inputs_and_facts_of_other_rooms(site: Site) -> None:
    site.available("ann")
    foreign = [
        Logged(0, "input", "ivr.input.digit", "c1", {}),
        Logged(0, "event", "calls.leg.ended", "c1", {"leg": "l1"}),
    ]
    log = site.log()
    assert replay([*log[:3], *foreign, *log[3:]]).divergence is None


def test_sample_configuration_starts_a_site() -> None:
    policy = load(Path(__file__).parents[2] / "config").policy
    unit = Unit(FakeClock().now())
    told = AcdService().start(unit, policy, epoch=1)
    assert told == [events.PolicyLoaded("acd", policy.version)]
