"""A contact's events become one record: one story a test."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.kernel.events import Envelope
from callcenter.reporting.cdr import Cdr, CdrDetail, Recording, Result
from callcenter.reporting.fold import _HANDLERS, fold
from tests.callcenter.reporting.stories import Story, agent_call, at


def test_caller_answered_by_an_agent_gets_a_record_with_queue_wait_agent_and_talk() -> None:
    cdr = fold(agent_call().events)
    assert replace(cdr, detail=CdrDetail()) == Cdr(
        contact="c1",
        direction="inbound",
        source_kind="trunk",
        source="carrier",
        flow="main",
        flow_version="ab12",
        started_at=at(0),
        answered_at=at(40),
        ended_at=at(68_010),
        queue="billing",
        agent="ann",
        customer="cust7",
        wait_ms=5_995,
        talk_ms=60_000,
        hung_up_by="caller",
        reason="hangup",
        sip_status=None,
        result=Result.ANSWERED,
    )


def test_record_tells_the_instants_in_their_order() -> None:
    names = [(i.name, i.at) for i in fold(agent_call().events).detail.instants]
    assert names == [
        ("received", at(0)),
        ("answered", at(40)),
        ("queued", at(2_010)),
        ("offered", at(5_000)),
        ("ringing", at(5_030)),
        ("answered", at(8_000)),
        ("joined", at(8_010)),
        ("parted", at(68_010)),
        ("ended", at(68_010)),
    ]


def test_record_tells_each_leg_with_loss_and_jitter() -> None:
    customer, agent = fold(agent_call().events).detail.legs
    assert (customer.role, customer.lost, customer.jitter_us, customer.largest_gap_ms) == ("customer", 3, 700, 41)
    assert (agent.role, agent.endpoint, agent.ringing_at, agent.answered_at) == (
        "agent",
        "phone1",
        at(5_030),
        at(8_000),
    )
    assert (agent.by, agent.reason, agent.ended_at, agent.received) == ("us", "hangup", at(68_030), 3_000)


def test_customer_whom_an_agent_chose_stands_against_the_number() -> None:
    story = agent_call().tell(9_000, "director.customer.chosen", customer="cust9", by="user1")
    story.tell(9_500, "director.customer.found", customer="cust7", matches=1)
    assert fold(story.events).customer == "cust9"
    again = story.tell(80_000, "director.customer.chosen", customer="cust8", by="user1")
    assert fold(again.events).customer == "cust8"


def test_the_last_disposition_is_the_calls() -> None:
    assert fold(agent_call().events).detail.disposition is None
    story = agent_call().tell(80_000, "acd.disposition.chosen", agent="ann", disposition="follow_up")
    story.tell(80_500, "acd.disposition.chosen", agent="ann", disposition="resolved")
    assert fold(story.events).detail.disposition == "resolved"


def test_path_counts_digits_and_never_holds_them() -> None:
    hello, wait = fold(agent_call().events).detail.path
    assert (hello.node, hello.kind, hello.branch, hello.digits, hello.masked) == ("hello", "menu", "2", 1, False)
    assert (wait.node, wait.branch, wait.digits) == ("wait", None, None)


def test_masked_digits_stay_marked_as_such() -> None:
    story = Story().received().tell(1, "ivr.node.entered", node="card", kind="gather")
    cdr = fold(story.tell(9, "ivr.digits.collected", node="card", count=16, masked=True).events)
    assert [(step.digits, step.masked) for step in cdr.detail.path] == [(16, True)]


def test_node_entered_twice_is_two_steps() -> None:
    story = Story().received()
    for ms, branch in ((1, "9"), (5, "2")):
        story.tell(ms, "ivr.node.entered", node="menu", kind="menu")
        story.tell(ms + 1, "ivr.node.left", node="menu", branch=branch)
    assert [step.branch for step in fold(story.events).detail.path] == ["9", "2"]


def test_recording_is_listed_with_its_length() -> None:
    assert fold(agent_call().events).detail.recordings == (Recording("r.wav", 60_000, False),)


def test_recording_whose_end_was_never_told_is_truncated() -> None:
    story = [e for e in agent_call().events if e.type != "calls.recording.ended"]
    assert fold(story).detail.recordings == (Recording("r.wav", None, True),)


def test_recording_that_failed_stays_truncated_when_it_ends() -> None:
    story = Story().received().tell(1, "calls.recording.started", recording="r.wav")
    story.tell(5, "calls.recording.failed", reason="disk_full").tell(9, "calls.recording.ended", duration_ms=4)
    assert fold(story.events).detail.recordings == (Recording("r.wav", 4, True),)


def test_caller_who_hangs_up_in_the_queue_is_abandoned() -> None:
    story = Story().received().answered(10).queued(20).leg_ended(9_000)
    story.tell(9_000, "acd.entry.abandoned", entry="q1", queue="billing", wait_ms=8_980)
    cdr = fold(story.ended(9_010).events)
    assert (cdr.result, cdr.queue, cdr.wait_ms, cdr.agent, cdr.talk_ms) == (
        Result.ABANDONED,
        "billing",
        8_980,
        None,
        0,
    )


def test_caller_who_leaves_while_the_agent_rings_is_abandoned_and_the_offer_rescinded() -> None:
    story = Story().received().answered(10).queued(20).offered(30, "ann").rings(31, "out", "agent", "phone1")
    story.leg_ended(900).tell(900, "acd.offer.rescinded", offer="o1", agent="ann", reason="caller_left")
    story.tell(900, "acd.entry.abandoned", entry="q1", queue="billing", wait_ms=880)
    cdr = fold(story.leg_ended(910, "out", by="us", reason="cancelled").ended(920).events)
    assert cdr.result is Result.ABANDONED
    assert [(o.agent, o.outcome, o.reason) for o in cdr.detail.offers] == [("ann", "rescinded", "caller_left")]


def test_offer_that_nobody_takes_and_the_next_one_are_both_told() -> None:
    story = Story().received().answered(10).queued(20).offered(30, "ann")
    story.tell(9_000, "acd.offer.timed_out", offer="o1", agent="ann").offered(9_001, "bob", offer="o2")
    story.tell(9_500, "acd.offer.accepted", offer="o2", agent="bob")
    cdr = fold(story.tell(9_500, "acd.entry.answered", entry="q1", queue="billing", agent="bob", wait_ms=9).events)
    assert [(o.agent, o.outcome) for o in cdr.detail.offers] == [("ann", "timed_out"), ("bob", "accepted")]
    assert cdr.agent == "bob"


def test_overflow_into_a_second_queue_keeps_both_visits_and_reports_the_last() -> None:
    story = Story().received().answered(10).queued(20)
    story.tell(5_000, "acd.entry.ended", entry="q1", queue="billing", outcome="overflowed", wait_ms=4_980)
    story.queued(5_000, "q2", "general")
    story.tell(6_000, "acd.entry.answered", entry="q2", queue="general", agent="bob", wait_ms=1_000)
    cdr = fold(story.events)
    assert [(v.queue, v.outcome) for v in cdr.detail.queues] == [("billing", "overflowed"), ("general", "answered")]
    assert (cdr.queue, cdr.wait_ms, cdr.agent) == ("general", 1_000, "bob")


def test_caller_who_leaves_a_message_after_an_overflow_did_not_abandon() -> None:
    story = Story().received().answered(10).queued(20)
    story.tell(5_000, "acd.entry.ended", entry="q1", queue="billing", outcome="overflowed", wait_ms=4_980)
    cdr = fold(story.leg_ended(30_000).ended(30_010).events)
    assert cdr.result is Result.UNANSWERED


def test_flow_that_serves_the_caller_alone_counts_as_answered() -> None:
    cdr = fold(Story().received().answered(10).leg_ended(5_000).ended(5_001).events)
    assert (cdr.result, cdr.talk_ms, cdr.queue) == (Result.ANSWERED, 0, None)


def test_phone_that_answers_a_dial_is_an_answer_and_the_call_is_internal() -> None:
    story = Story().received(source_kind="phone", source="anna").rings(10, "out", "phone", "bob").answered(900, "out")
    story.answered(905).tell(910, "calls.bridge.joined", customer="in", agent="out", recording=None)
    story.leg_ended(4_910, "out").tell(4_910, "calls.bridge.parted", customer="in", agent="out")
    cdr = fold(story.leg_ended(4_930, by="us").ended(4_940, by="callee").events)
    assert (cdr.direction, cdr.result, cdr.talk_ms, cdr.hung_up_by) == ("internal", Result.ANSWERED, 4_000, "callee")


def test_phone_without_an_address_was_dialled_in_vain_all_the_same() -> None:
    story = Story().received().tell(5, "ivr.node.entered", node="ring", kind="dial")
    cdr = fold(story.leg_ended(10, by="us", reason="unreachable").ended(11, "system", "unreachable", 404).events)
    assert cdr.result is Result.UNANSWERED


@pytest.mark.parametrize(("reason", "status"), [("busy", 486), ("declined", 603), ("no_answer", 480)])
def test_phone_that_does_not_take_the_call_leaves_it_unanswered(reason: str, status: int) -> None:
    story = Story().received().rings(10, "out", "phone", "bob").leg_ended(900, "out", reason=reason, status=status)
    cdr = fold(story.leg_ended(910, by="us", reason=reason).ended(911, "system", reason, status).events)
    assert (cdr.result, cdr.reason, cdr.sip_status) == (Result.UNANSWERED, reason, status)
    assert cdr.detail.legs[1].status == status


def test_caller_who_cancels_while_a_phone_rings_abandoned() -> None:
    story = Story().received().rings(10, "out", "phone", "bob").leg_ended(900, reason="cancelled", status=487)
    cdr = fold(story.leg_ended(905, "out", by="us").ended(906, reason="cancelled", status=487).events)
    assert (cdr.result, cdr.sip_status) == (Result.ABANDONED, 487)


def test_call_without_a_common_codec_is_refused() -> None:
    story = Story().received().leg_ended(3, by="us", reason="no_common_codec", status=488)
    cdr = fold(story.ended(3, "system", "no_common_codec", 488).events)
    assert (cdr.result, cdr.sip_status, cdr.answered_at) == (Result.REFUSED, 488, None)


def test_call_whose_media_was_lost_in_the_flow_failed() -> None:
    story = Story().received().answered(5).leg_ended(800, by="lost", reason="media_lost")
    assert fold(story.ended(800, "system", "media_lost").events).result is Result.FAILED


def test_caller_who_lost_his_media_while_he_waited_did_not_give_up() -> None:
    story = Story().received().answered(5).queued(10).leg_ended(800, by="us", reason="media_lost")
    story.tell(800, "acd.entry.abandoned", entry="q1", queue="billing", wait_ms=790)
    assert fold(story.ended(800, "system", "media_lost").events).result is Result.FAILED


def test_call_ends_when_the_callers_leg_ends_and_not_when_its_session_is_given_back() -> None:
    cdr = fold(Story().received().answered(5).leg_ended(800).closed(5_800).ended(5_800).events)
    assert cdr.ended_at == at(800)


def test_talk_that_was_never_parted_lasts_until_the_caller_left() -> None:
    story = [e for e in agent_call().events if e.type != "calls.bridge.parted"]
    assert fold(story).talk_ms == 60_000


def test_session_lost_with_its_worker_has_no_statistics() -> None:
    story = Story().received().tell(9, "calls.media.closed", leg="in", stats=None)
    assert fold(story.events).detail.legs[0].lost is None


def test_events_of_later_versions_are_passed_over() -> None:
    assert fold(Story().received().tell(1, "acd.entry.sang", song="x").events) == fold(Story().received().events)


def test_order_of_what_happens_around_one_moment_does_not_matter() -> None:
    story = agent_call().events
    tail = [event for event in story if event.at >= at(68_010)]
    head = story[: -len(tail)]
    expected = fold(story)
    for order in itertools.islice(itertools.permutations(tail), 0, None, 997):
        assert fold([*head, *order]) == expected


def test_every_prefix_of_a_call_is_a_record() -> None:
    story = agent_call().events
    results = [fold(story[:length]).result for length in range(len(story) + 1)]
    assert set(results[:-1]) == {Result.OPEN}
    assert results[-1] is Result.ANSWERED


values = st.none() | st.integers(-5, 5) | st.sampled_from(["in", "out", "q1", "o1", "ann", "r.wav", ""])
keys = st.sampled_from(
    ["leg", "entry", "offer", "queue", "agent", "node", "count", "wait_ms", "recording", "customer", "by", "stats"]
)
envelopes = st.builds(
    lambda type_, ms, data: Envelope("live", 1, "e", 1, type_, at(ms), "c1", data),
    st.sampled_from(sorted(_HANDLERS)),
    st.integers(0, 9),
    st.dictionaries(keys, values, max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(envelopes, max_size=30))
def test_fold_is_total_on_any_events_in_any_order(events: Sequence[Envelope]) -> None:
    cdr = fold(events)
    assert cdr.talk_ms >= 0
    assert (cdr.result is Result.OPEN) == all(event.type != "calls.contact.ended" for event in events)
