"""What frees agents when somebody goes without a word: the lease of an offer, lost phones, lost consoles.

The other two are the leg's: silence of the sound (tests/callcenter/calls/test_leg.py, media) and the session timer,
which finds a lost BYE (tests/callcenter/sip/test_session_timer.py, tests/e2e/test_session_timers.py).
"""

from acd import events
from tests.support.acd import AcdWorld


def test_lease_frees_agent_and_caller_though_nobody_says_a_word(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    assert ann.state == "reserved"
    acd.advance_to_next_deadline()
    assert (ann.state, ann.now.reason, call.rings_at) == ("not_ready", "no_answer", "nobody")
    assert [event.offer for event in acd.told_last(events.OfferTimedOut)]


def test_phone_that_is_lost_while_it_rings_is_freed_by_the_lease_and_not_rung_again(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.call_enters("billing")
    ann.phone(registered=False)
    acd.advance_to_next_deadline()
    assert ann.state != "reserved"
    ann.goes_available()
    later = acd.call_enters("billing")
    assert later.rings_at == "nobody"
    ann.phone(registered=True)
    assert later.rings_at == "ann"


def test_console_that_is_lost_while_it_shows_an_offer_is_freed_by_the_lease_and_gets_no_other(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}, delivery="console").goes_available()
    ann.console(connected=True)
    call = acd.call_enters("billing")
    assert call.rings_at == "ann"
    ann.console(connected=False)
    acd.advance_to_next_deadline()
    assert ann.state != "reserved"
    ann.goes_available()
    later = acd.call_enters("billing")
    assert later.rings_at == "nobody"
    ann.console(connected=True)
    assert later.rings_at == "ann"


def test_phone_and_console_that_are_lost_in_a_call_leave_the_call_alone_and_no_other_comes(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}, delivery="console").goes_available()
    ann.console(connected=True)
    call = acd.call_enters("billing")
    ann.answers()
    ann.phone(registered=False)
    ann.console(connected=False)
    assert ann.state == "on_contact"
    call.ends()
    ann.finishes_wrap_up()
    assert acd.call_enters("billing").rings_at == "nobody"
