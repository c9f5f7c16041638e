"""Why a caller waited and why an agent was chosen, told from the log alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import msgspec
import pytest

from acd import commands, events
from acd.core import Distributor
from acd.model import AgentPolicy, Capacity, QueuePolicy, Ring, Strategy, milliseconds
from acd.policies.announcing import AnnouncePolicy
from acd.replay import Logged
from acd.service import INPUT_TYPES
from acd.standing import Reason
from acd.why import Step, Story, story_of
from acd.why_text import STANDINGS, words
from callcenter.kernel.codec import decode, encode
from tests.support.acd import AcdWorld
from tests.support.acd_walk import seeded, walked

TYPE_OF = {kind: name for name, kind in INPUT_TYPES.items()}


def lines_of(input_: commands.Input, number: int, now: datetime, told: list[events.Event]) -> list[Logged]:
    """What the journal would have of one input."""
    at = milliseconds(now)
    data: dict[str, object] = {"n": number, "now": at, **msgspec.to_builtins(input_)}
    lines = [Logged(0, "input", TYPE_OF[type(input_)], "acd", _plain(data), at)]
    for fact in told:
        if not isinstance(fact, events.InputRefused):
            type_, subject, content = events.wire(fact)
            lines.append(Logged(0, "event", type_, subject, _plain(content), at))
    return lines


def _plain(data: Mapping[str, object]) -> dict[str, object]:
    return decode(encode(data), dict[str, object])


class ToldWorld(AcdWorld):
    """The distributor's world with its log."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Logged] = []

    def tell(self, input_: commands.Input) -> list[events.Event]:
        told = super().tell(input_)
        self.log += lines_of(input_, self.core.number, self.now, told)
        return told

    def story(self, contact: str) -> Story:
        story = story_of(contact, self.log, Distributor())
        assert story.divergence is None
        return story

    def steps(self, contact: str, kind: str) -> list[Mapping[str, Any]]:
        return [step.data for step in self.story(contact).steps if step.kind == kind]

    def reasons(self, contact: str) -> list[str]:
        """For what the caller waited, one after the other."""
        return [str(step["reason"]) for step in self.steps(contact, "entry.waits")]


@pytest.fixture
def acd() -> ToldWorld:
    return ToldWorld()


def agents_of(step: Mapping[str, Any]) -> dict[str, str]:
    return {each["agent"]: each["reason"] for each in step["agents"]}


def test_a_caller_whom_nobody_can_serve_is_told_so(acd: ToldWorld) -> None:
    acd.agent("ann", skills={"sales": 3}).goes_available()
    call = acd.call_enters("billing")
    assert acd.reasons(call.contact) == ["nobody_qualified"]


def test_a_caller_waits_because_nobody_of_his_is_signed_in_then_because_all_talk(acd: ToldWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3})
    first = acd.call_enters("billing")
    acd.advance(5)
    ann.goes_available()
    ann.answers()
    second = acd.call_enters("billing")
    acd.advance(60)
    first.ends()
    assert acd.reasons(first.contact) == ["nobody_staffed", "all_away"]
    (waits,) = acd.steps(second.contact, "entry.waits")
    assert (waits["reason"], waits["counts"], waits["position"]) == ("all_busy", {"on_contact": 1}, 1)
    assert waits["agents"] == [{"agent": "ann", "reason": "on_contact", "detail": None}]
    assert (waits["until"] - second_enqueued(acd, second.contact)).total_seconds() == 60


def test_who_is_busy_with_chats_is_busy_and_not_away(acd: ToldWorld) -> None:
    acd.agent("ann", skills={"billing": 3}, capacity=(Capacity("chat", 1),)).goes_available()
    acd.tell(commands.ContactStarted("ann", "c1", "chat"))
    waiting = acd.call_enters("billing")
    acd.advance(5)
    (waits,) = acd.steps(waiting.contact, "entry.waits")
    assert (waits["reason"], waits["counts"]) == ("all_busy", {"on_other_contact": 1})


def second_enqueued(acd: ToldWorld, contact: str) -> datetime:
    return next(step.at for step in acd.story(contact).steps if step.kind == "entry.queued")


def test_an_offer_tells_of_every_agent_why(acd: ToldWorld) -> None:
    chosen = acd.agent("ann", skills={"billing": 3}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    acd.agent("chen", skills={"sales": 1}).goes_available()
    acd.agent("dan", skills={"billing": 2}).signs_in().pauses("lunch")
    acd.agent("eve", skills={"billing": 2})
    fred = acd.agent("fred", skills={"billing": 2}).goes_available()
    fred.phone(False)
    gina = acd.agent("gina", skills={"billing": 2}).goes_available()
    gina.talks_directly("c9")
    call = acd.call_enters("billing", skills={"billing": 1})
    (offer,) = acd.steps(call.contact, "offer.created")
    assert agents_of(offer) == {
        "ann": "chosen",
        "bob": "later_in_order",
        "chen": "unqualified",
        "dan": "not_ready",
        "eve": "logged_out",
        "fred": "phone_away",
        "gina": "on_contact",
    }
    told = {each["agent"]: each for each in offer["agents"]}
    assert told["bob"]["order"]["idle_since"] > told["ann"]["order"]["idle_since"]
    assert told["chen"]["lacks"] == [[{"skill": "billing", "level": 1}]]
    assert told["dan"]["detail"] == "lunch"
    assert chosen.offer().id == offer["offer"]


def test_a_declined_offer_excludes_its_agent_until_its_time_is_over(acd: ToldWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(4)
    ann.declines()
    acd.advance(40)
    steps = [step.kind for step in acd.story(call.contact).steps]
    assert steps[:6] == [
        "entry.queued", "offer.created", "offer.declined", "entry.requeued", "entry.waits", "offer.created",
    ]  # fmt: skip
    (waits,) = acd.steps(call.contact, "entry.waits")
    assert waits["reason"] == "excluded"
    (excluded,) = waits["excluded"]
    assert excluded["agent"] == "ann"
    assert waits["until"] == excluded["until"]


def test_an_agent_who_is_given_to_a_caller_before_one_is_told(acd: ToldWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    talking = acd.call_enters("billing")
    ann.answers()
    early = acd.call_enters("billing")
    acd.advance(5)
    late = acd.call_enters("billing")
    acd.advance(5)
    talking.ends()
    (taken,) = acd.steps(late.contact, "agent.taken")
    assert (taken["agent"], taken["contact"]) == ("ann", early.contact)
    assert taken["enqueued_at"] < taken["own_enqueued_at"]
    assert [step["position"] for step in acd.steps(late.contact, "entry.waits")] == [2, 1]


def test_a_policy_that_changes_while_he_waits_is_part_of_the_story(acd: ToldWorld) -> None:
    acd.agent("ann", skills={"sales": 3}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(9)
    acd.agent("ann", skills={"billing": 1})
    kinds = [step.kind for step in acd.story(call.contact).steps]
    assert kinds == ["entry.queued", "entry.waits", "policy.loaded", "offer.created"]


def test_a_caller_who_waits_over_a_restart_is_told_of(acd: ToldWorld) -> None:
    call = acd.call_enters("billing")
    acd.restarts()
    acd.advance(3)
    call.hangs_up()
    kinds = [step.kind for step in acd.story(call.contact).steps]
    assert kinds == ["entry.queued", "entry.waits", "restarted", "policy.loaded", "entry.abandoned"]


def test_a_contact_that_never_waited_has_no_story(acd: ToldWorld) -> None:
    acd.call_enters("billing")
    assert acd.story("nobody").steps == []


def put_queue(acd: ToldWorld, **how: Any) -> None:
    """A queue `billing` that asks for its skill, with `how` on top."""
    queue = QueuePolicy("billing", (("billing", 2),), **how)
    acd.load(replace(acd.policy, queues=(queue,)))


ORDERS: list[tuple[Strategy, str]] = [
    ("longest_idle", "idle_since"),
    ("longest_since_contact", "contact_at"),
    ("fewest_contacts", "contacts"),
    ("round_robin", "turn"),
    ("highest_level", "level"),
    ("lowest_level", "level"),
    ("weighted_random", "weight"),
    ("ring_all", "idle_since"),
]


@pytest.mark.parametrize(("strategy", "looks_at"), ORDERS)
def test_an_offer_tells_what_its_order_looks_at_and_who_came_next(
    acd: ToldWorld, strategy: Strategy, looks_at: str
) -> None:
    put_queue(acd, strategy=strategy)
    for name, level in (("ann", 3), ("bob", 4), ("chen", 2)):
        acd.agent(name, skills={"billing": level}).goes_available()
    call = acd.call_enters("billing")
    offer = acd.steps(call.contact, "offer.created")[0]
    ranked = offer["agents"]
    assert offer["decision"]["strategy"] == strategy
    assert (ranked[0]["agent"], ranked[0]["reason"]) == (offer["agent"], "chosen")
    assert [each["reason"] for each in ranked[1:]] == ["later_in_order"] * 2
    assert all(looks_at in each["order"] for each in ranked)


def test_every_phone_that_rings_for_all_has_its_own_reasons(acd: ToldWorld) -> None:
    put_queue(acd, strategy="ring_all")
    for name in ("ann", "bob"):
        acd.agent(name, skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    first, second = acd.steps(call.contact, "offer.created")
    assert agents_of(first) == {"ann": "chosen", "bob": "later_in_order"}
    assert agents_of(second) == {"ann": "reserved", "bob": "chosen"}


def test_a_ring_that_widens_is_told_with_its_moment(acd: ToldWorld) -> None:
    put_queue(acd, rings=(Ring(seconds=30), Ring(lower=1)))
    acd.agent("ann", skills={"billing": 3}).signs_in().pauses()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(40)
    kinds = [step.kind for step in acd.story(call.contact).steps]
    assert kinds == ["entry.queued", "entry.waits", "entry.widened", "offer.created"]
    (waits,) = acd.steps(call.contact, "entry.waits")
    assert (waits["reason"], waits["ring"], waits["widens_at"]) == ("all_away", 1, waits["until"])
    (offer,) = acd.steps(call.contact, "offer.created")
    assert agents_of(offer) == {"ann": "not_ready", "bob": "chosen"}
    assert offer["decision"]["ring"] == 2


def test_a_caller_who_waits_for_one_agent_is_told_for_whom_and_until_when(acd: ToldWorld) -> None:
    put_queue(acd, preferred_s=25)
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    ann.talks_directly("c9")
    acd.agent("bob", skills={"billing": 3}).goes_available()
    acd.tell(commands.EntryQueued("e1", "billing", contact="c1", preferred="ann"))
    acd.advance(30)
    (waits,) = acd.steps("c1", "entry.waits")
    assert (waits["reason"], waits["preferred"], waits["widens_at"]) == ("preferred", "ann", waits["until"])
    (offer,) = acd.steps("c1", "offer.created")
    assert agents_of(offer) == {"ann": "on_contact", "bob": "chosen"}


def test_others_are_not_the_agent_whom_the_caller_is_to_have(acd: ToldWorld) -> None:
    put_queue(acd)
    for name in ("bob", "ann"):
        acd.agent(name, skills={"billing": 3}).goes_available()
    acd.tell(commands.EntryQueued("e1", "billing", contact="c1", preferred="ann"))
    (offer,) = acd.steps("c1", "offer.created")
    assert agents_of(offer) == {"ann": "chosen", "bob": "not_preferred"}


def test_it_is_told_who_could_not_be_waited_for_before_the_agent_whom_the_caller_is_to_have(acd: ToldWorld) -> None:
    put_queue(acd)
    acd.agent("ann", skills={"billing": 3})
    for name in ("bob", "chen"):
        acd.agent(name, skills={"billing": 3}).goes_available()
    acd.tell(commands.EntryQueued("e1", "billing", contact="c1", preferred="ann", or_preferred=("chen",)))
    acd.tell(commands.EntryQueued("e2", "billing", contact="c2", preferred="bob", or_preferred=("chen",)))
    told = [acd.steps(contact, "entry.queued")[0] for contact in ("c1", "c2")]
    assert [(each["preferred"], each["instead_of"]) for each in told] == [("chen", ["ann"]), ("bob", [])]
    (offer,) = acd.steps("c1", "offer.created")
    assert agents_of(offer) == {"chen": "chosen", "bob": "not_preferred", "ann": "logged_out"}
    assert "is to have chen, as ann cannot be waited for" in words(acd.story("c1"), "UTC")


def test_agents_who_are_kept_in_reserve_are_told(acd: ToldWorld) -> None:
    put_queue(acd, rings=(Ring(seconds=20, reserve=1), Ring()))
    acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(25)
    (waits,) = acd.steps(call.contact, "entry.waits")
    assert (waits["reason"], waits["counts"]) == ("kept_in_reserve", {"later_in_order": 1})
    assert waits["until"] == waits["widens_at"]


def test_a_team_that_an_agent_is_not_of_is_what_he_lacks(acd: ToldWorld) -> None:
    put_queue(acd, teams=("gold",))
    acd.load(replace(acd.policy, agents=(AgentPolicy("ann", (("billing", 3),)),)))
    call = acd.call_enters("billing")
    assert acd.reasons(call.contact) == ["nobody_qualified"]
    (queued,) = acd.steps(call.contact, "entry.queued")
    assert [{"skill": "@gold", "level": 1}] in queued["needs"]


def test_every_reason_has_its_words() -> None:
    reasons = {word for part in get_args(Reason) for word in (get_args(part) or (part,))}
    assert reasons <= set(STANDINGS)


def test_an_announcement_ends_no_wait(acd: ToldWorld) -> None:
    acd.agent("ann", skills={"billing": 3}).signs_in()
    acd.queue("billing", announce=AnnouncePolicy(position=True, first_s=5, every_s=10))
    call = acd.call_enters("billing")
    acd.advance(20)
    call.hangs_up()
    kinds = [step.kind for step in acd.story(call.contact).steps]
    assert kinds == ["entry.queued", "entry.waits", "entry.announced", "entry.announced", "entry.abandoned"]
    assert "is told position 1" in words(acd.story(call.contact), "UTC")


def test_the_story_in_words_names_times_reasons_and_ends(acd: ToldWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    acd.agent("bob", skills={"sales": 1}).signs_in().pauses("lunch")
    call = acd.call_enters("billing")
    ann.declines()
    acd.advance(35)
    call.hangs_up()
    text = words(acd.story(call.contact), "Asia/Shanghai")
    assert "17:00:01.000  offered to ann" in text
    assert "bob: not ready (lunch) since 17:00:01, lacks billing >= 1" in text
    assert "ann declines" in text
    assert "ann is passed over until 17:00:31" in text
    assert "hangs up after 35.0 s" in text


def offers_of(steps: list[Step] | Any) -> list[Mapping[str, Any]]:
    return [step.data for step in steps if step.kind == "offer.created"]


@pytest.mark.parametrize("seed", range(6))
def test_reasons_agree_with_the_counts_that_each_decision_kept(seed: int) -> None:
    walk = walked(seeded(9_000 + seed, 120))
    log: list[Logged] = []
    core = Distributor()
    for now, input_ in walk.log:
        told = core.handle(input_, now=now)
        log += lines_of(input_, core.number, now, told)
    contacts = sorted({line.subject for line in log if line.type == "acd.offer.created"})
    assert contacts
    seen = 0
    for contact in contacts:
        story = story_of(contact, log, Distributor())
        assert story.divergence is None
        for offer in offers_of(story.steps):
            reasons = list(agents_of(offer).values())
            over = offer["decision"]["passed_over"]
            free = reasons.count("excluded") + reasons.count("later_in_order")
            unqualified = reasons.count("unqualified") + reasons.count("not_preferred")
            assert agents_of(offer)[offer["agent"]] == "chosen"
            assert reasons.count("chosen") == 1
            assert free == over["excluded"] + over["later_in_order"]
            assert unqualified == over["unqualified"]
            assert len(reasons) - 1 - free - unqualified == over["not_available"]
            seen += 1
    assert seen == sum(line.type == "acd.offer.created" for line in log)
