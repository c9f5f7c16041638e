"""Why a caller waited and why an agent was chosen, told from the log alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import pytest

from acd import commands, events
from acd.core import Distributor
from acd.model import milliseconds
from acd.replay import Logged
from acd.service import INPUT_TYPES
from acd.why import Step, Story, story_of
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
