"""The live view: what a snapshot holds, for whom."""

from datetime import timedelta
from itertools import pairwise

from callcenter.console.live import LiveView
from callcenter.console.protocol import AgentRow, Candidate, ContactRow, Customer, EntryRow, OfferRow, Pop, PopUpdated
from tests.callcenter.console.events import AT, a_call, event, offered, state
from tests.callcenter.console.golden import fold, read_log

POP = Pop("o1", "c1", "billing", "ann", "+390612345", None, 0, AT)


def test_a_call_passes_through_the_view_and_leaves_nothing_but_its_agent() -> None:
    view = LiveView()
    stages = []
    for one in a_call():
        view.apply(one)
        stages.append(view.contacts["c1"].stage if "c1" in view.contacts else None)
    assert [after for before, after in pairwise([None, *stages]) if after != before] == [
        "arrived",
        "flow",
        "waiting",
        "talking",
        None,
    ]
    assert view.entries == {}
    assert view.offers == {}
    assert view.agents["ann"].state == "available"


def test_a_waiting_call_is_seen_with_its_entry_and_offer() -> None:
    view = LiveView()
    for one in a_call()[:6]:
        view.apply(one)
    snapshot = view.snapshot(agent=None, sees_all=True)
    assert snapshot.positions == {"live": 6}
    assert snapshot.contacts == (ContactRow("c1", "waiting", AT, "billing"),)
    assert snapshot.entries == (EntryRow("q-c1", "c1", "billing", AT),)
    assert snapshot.offers == (OfferRow("o-c1", "c1", "q-c1", "billing", "ann", None),)


def test_a_callback_is_told_from_a_caller_who_waits() -> None:
    view = LiveView()
    view.apply(event(1, "acd.entry.queued", "c1", entry="q1", queue="billing", callback=True))
    view.apply(event(2, "acd.entry.queued", "c2", entry="q2", queue="billing", callback=False))
    view.apply(event(3, "acd.entry.queued", "c3", entry="q3", queue="billing"))
    assert [row.callback for row in view.entries.values()] == [True, False, False]


def test_an_entry_waits_since_its_caller_does_also_where_a_log_of_before_does_not_say_so() -> None:
    view = LiveView()
    told = {"q1": "2026-03-02T08:55:00.250Z", "q2": None, "q3": "yesterday", "q4": "2026-03-02T08:55:00"}
    for seq, (entry, since) in enumerate(told.items(), 1):
        view.apply(event(seq, "acd.entry.queued", f"c{seq}", entry=entry, queue="billing", since=since))
    view.apply(event(5, "acd.entry.queued", "c5", entry="q5", queue="billing"))
    began = AT - timedelta(seconds=299.75)
    assert [row.since for row in view.entries.values()] == [began, AT, AT, AT, AT]


def test_an_agent_sees_itself_and_its_offers_only() -> None:
    view = LiveView()
    for one in (
        state(1, "ann", "reserved"),
        state(2, "bob", "reserved"),
        offered(3, "o1", "ann"),
        offered(4, "o2", "bob"),
    ):
        view.apply(one)
    snapshot = view.snapshot(agent="ann", sees_all=False)
    assert [row.id for row in snapshot.agents] == ["ann"]
    assert [row.id for row in snapshot.offers] == ["o1"]
    assert (snapshot.contacts, snapshot.entries) == ((), ())


def test_a_supervisor_sees_every_row_but_nobody_elses_pop() -> None:
    view = LiveView()
    view.show_pop(POP)
    assert view.snapshot(agent=None, sees_all=True).pops == ()
    assert view.snapshot(agent="bob", sees_all=True).pops == ()
    assert view.snapshot(agent="ann", sees_all=False).pops == (POP,)


def test_a_pop_stays_through_wrap_up_and_goes_when_the_agent_is_free() -> None:
    view = LiveView()
    view.show_pop(POP)
    for seq, name in enumerate(("reserved", "on_contact", "wrap_up"), 1):
        view.apply(state(seq, "ann", name, "c1"))
        assert view.pops_of("ann") == (POP,)
    view.apply(state(4, "ann", "available"))
    assert view.pops_of("ann") == ()


def test_a_pop_goes_with_an_offer_that_comes_to_nothing() -> None:
    for outcome in ("declined", "timed_out", "rescinded", "failed"):
        view = LiveView()
        view.show_pop(POP)
        view.apply(event(1, f"acd.offer.{outcome}", "c1", offer="o1", agent="ann"))
        assert view.pops_of("ann") == ()


def test_a_customer_found_late_is_filled_in() -> None:
    view = LiveView()
    view.show_pop(POP)
    customer = Customer("k1", "Ada Byron")
    updated = view.update_pop(PopUpdated("o1", customer, 1))
    assert updated is not None
    assert view.pops_of("ann") == (updated,)
    assert updated.customer == customer
    assert view.update_pop(PopUpdated("o9", customer, 1)) is None


def test_candidates_are_filled_in_and_go_when_one_is_chosen() -> None:
    view = LiveView()
    view.show_pop(POP)
    candidate = Candidate("k1", "Ada Byron", "ACME", 63, "exact_number")
    view.update_pop(PopUpdated("o1", None, 2, (candidate,)))
    assert [pop.candidates for pop in view.pops_about("c1")] == [(candidate,)]
    view.update_pop(PopUpdated("o1", Customer("k1", "Ada Byron"), 1))
    assert view.pops_of("ann")[0].candidates == ()
    assert view.pops_about("c2") == ()


def test_presence_and_state_do_not_overwrite_each_other() -> None:
    view = LiveView()
    view.apply(event(1, "acd.presence.changed", "ann", phone=True, console=False))
    view.apply(state(2, "ann", "available"))
    row = view.agents["ann"]
    assert (row.phone, row.state) == (True, "available")
    assert row == AgentRow("ann", "available", None, None, AT.isoformat(), None, phone=True)


def test_an_event_of_another_room_that_names_an_agent_leg_concerns_no_agent() -> None:
    view = LiveView()
    assert view.agent_of(event(1, "calls.bridge.joined", "c1", customer="l1", agent="l2")) is None
    assert view.agent_of(offered(1, "o1", "ann")) == "ann"
    assert view.agent_of(state(1, "ann", "available")) == "ann"


def test_a_held_call_concerns_the_agent_who_talks_in_it_until_it_is_resumed_or_over() -> None:
    view = LiveView()
    held = event(2, "calls.bridge.held", "c1", customer="l1", agent="l2")
    resumed = event(3, "calls.bridge.resumed", "c1", customer="l1", agent="l2")
    view.apply(state(1, "ann", "on_contact", "c1"))
    view.apply(held)
    assert (view.agents["ann"].held, view.agent_of(held)) == (True, "ann")
    view.apply(resumed)
    assert (view.agents["ann"].held, view.agent_of(resumed)) == (False, "ann")
    view.apply(held)
    view.apply(state(4, "ann", "wrap_up", "c1"))
    assert (view.agents["ann"].held, view.agent_of(held)) == (False, None)


def test_a_transfer_is_told_to_the_agent_who_made_it() -> None:
    transfer = event(1, "director.contact.transferred", "c1", agent="ann", kind="queue", target="sales")
    assert LiveView().agent_of(transfer) == "ann"


def test_the_fold_comes_to_what_the_golden_log_says() -> None:
    log = read_log()
    assert len(log.checkpoints) == 4
    for checkpoint in log.checkpoints:
        assert fold(log.frames[: checkpoint.after]) == checkpoint.rows
