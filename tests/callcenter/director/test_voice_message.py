"""VoiceMessage: from the tone to the ticket, once each."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from callcenter.app.voice_tickets import ticket_of
from callcenter.director.machines.voice_message import Ended, Filed, VoiceMessage
from callcenter.director.voice_messages import VOICE_MESSAGE, VoiceMessages
from callcenter.kernel.unit import Unit
from ivr.commands import Record
from ivr.model import Priority
from tickets.model import Priority as TicketPriority

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATH = "2026/03/02/0195a1b2.wav"
SPOKEN = VoiceMessage(PATH, "call", "voicemail", "high", "billing")


@pytest.fixture
def messages() -> VoiceMessages:
    found = VoiceMessages(customer_of=lambda contact: f"customer of {contact}")
    found.begin(Unit(NOW), "call", PATH, Record("f1", 60, "voicemail", "high", "billing"))
    return found


def test_a_message_is_left_when_its_recording_ends_whatever_ended_it() -> None:
    assert SPOKEN.handle(Ended(5000)).state == "left"
    assert SPOKEN.handle(Ended(None)).state == "left"


def test_a_hang_up_at_the_tone_leaves_no_message() -> None:
    assert SPOKEN.handle(Ended(999)).state == "over"


def test_a_repeated_end_changes_nothing() -> None:
    left = SPOKEN.handle(Ended(5000))
    assert left.handle(Ended(None)) == left
    assert left.handle(Filed()).state == "over"
    assert SPOKEN.handle(Filed()) == SPOKEN


def test_a_message_waits_with_its_customer_until_it_is_filed(messages: VoiceMessages) -> None:
    told: list[str] = []
    messages.left = lambda: told.append("left")
    unit = Unit(NOW)
    messages.ended(unit, "call", 5000)
    (waiting,) = messages.waiting()
    assert (waiting.customer, waiting.duration_ms) == ("customer of call", 5000)
    assert [(draft.type, draft.data["recording"]) for draft in unit.drafts] == [("director.message.left", PATH)]
    for action in unit.actions:
        action()
    assert told == ["left"]
    messages.ended(Unit(NOW), "call", None)
    unit = Unit(NOW)
    messages.filed(unit, PATH)
    assert messages.waiting() == ()
    assert unit.states == {(VOICE_MESSAGE, PATH): None}


def test_a_recording_without_a_category_is_no_message() -> None:
    messages = VoiceMessages(customer_of=lambda contact: None)
    unit = Unit(NOW)
    messages.begin(unit, "call", PATH, Record("f1", 60))
    messages.ended(unit, "call", 5000)
    assert unit.is_empty
    assert messages.waiting() == ()


def test_after_a_restart_a_message_whose_call_is_gone_is_all_that_there_is(messages: VoiceMessages) -> None:
    messages.reconciled(Unit(NOW), {"call"})
    assert messages.waiting() == ()
    messages.reconciled(Unit(NOW), {})
    assert [message.duration_ms for message in messages.waiting()] == [None]


def test_the_ticket_names_the_call_and_the_same_message_gives_the_same_command() -> None:
    left = SPOKEN.handle(Ended(12_345))
    ticket = ticket_of(left)
    assert (ticket.subject, ticket.contact, ticket.category) == ("Voice message (12 s)", "call", "voicemail")
    assert (ticket.queue, ticket.priority, ticket.command_id) == ("billing", "high", "voice-0195a1b2")
    assert PATH in ticket.text


def test_flows_and_tickets_know_the_same_priorities() -> None:
    assert set(get_args(Priority)) == set(get_args(TicketPriority))
