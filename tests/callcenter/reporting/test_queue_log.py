"""The queue_log, line by line."""

from pathlib import Path
from typing import get_args

import pytest

from acd.model import EndReason, Outcome
from callcenter.reporting.ledger import HANDLERS, Ledger
from callcenter.reporting.queue_log import Line, rendered
from callcenter.reporting.visits import OpenThings
from tests.callcenter.reporting.ledgers import Day, FixedTerms
from tests.callcenter.reporting.stories import START
from tests.test_house.test_events import documented

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "queue_log.txt"
PEOPLE = {
    "answered": "+390612345678",
    "first": "anonymous",
    "rona": "200",
    "transferred": "200",
    "key": "201",
    "timeout": "202",
    "empty": "203",
    "callback": "204",
}


class Reloads(Day):
    """A day in whose last quarter of an hour bob serves another queue less."""

    def log_with_reload(self, people: dict[str, str]) -> list[str]:
        terms = FixedTerms()
        ledger = Ledger(terms, start=1)
        for event in self.events:
            if event.type == "acd.policy.loaded" and event.seq > 1:
                terms.now = {"ann": {"billing": 0}, "bob": {"billing": 5}}
            ledger.handle(event)
        return [rendered(line, people.get(line.contact or "")) for line in ledger.take()[2]]


def eight_stories() -> Reloads:
    day = Reloads()
    day.starts(0).signs_in(1, "ann")
    day.queued(10, "answered").offered(13, "answered", "ann").answered(16, "answered", "ann", 6)
    day.hangs_up(76, "answered", "ann", "caller")

    day.queued(100, "first").offered(100, "first", "ann").queued(105, "abandoned")
    day.leaves(117, "abandoned", "abandoned", 12)
    day.over(120, "first", "ann", "rescinded", reason="caller_left").leaves(120, "first", "abandoned", 20)
    day.agent(120, "ann", "available")

    day.signs_in(190, "bob")
    day.queued(200, "rona").offered(200, "rona", "ann").over(220, "rona", "ann", "timed_out")
    day.agent(220, "ann", "not_ready", "no_answer")
    day.offered(220, "rona", "bob").answered(224, "rona", "bob", 24).hangs_up(254, "rona", "bob", "agent", 10)

    day.queued(300, "transferred").offered(300, "transferred", "bob").answered(303, "transferred", "bob", 3)
    day.tell(323, "director.contact.transferred", "transferred", agent="bob", kind="queue", target="support").queued(
        323, "transferred", "support", "transferred-2"
    ).tell(323, "calls.leg.ended", "transferred", leg="transferred-bob", by="us", reason="hangup").agent(
        323, "bob", "wrap_up", contact="transferred"
    ).agent(328, "bob", "available")
    day.offered(328, "transferred", "bob", "support")
    day.answered(330, "transferred", "bob", 7, entry="transferred-2", queue="support").tell(
        390, "director.contact.transferred", "transferred", agent="bob", kind="phone", target="1007", attended=True
    )
    day.agent(390, "bob", "available")

    day.queued(400, "key").leaves(409, "key", "ended", 9, outcome="transferred", reason="key", key="0")
    day.queued(500, "timeout").queued(501, "empty")
    day.leaves(560, "timeout", "ended", 60, outcome="overflowed", reason="waited")
    day.leaves(561, "empty", "ended", 60, outcome="overflowed", reason="no_agents")
    day.queued(600, "callback").leaves(618, "callback", "ended", 18, outcome="callback", reason="key", key="1")

    day.agent(700, "bob", "not_ready", "lunch").agent(1600, "bob", "available").starts(1700)
    return day.agent(1800, "bob", "logged_out")  # type: ignore[return-value]  # a Day gives itself


def test_eight_stories_are_logged_as_the_golden_log_has_them() -> None:
    golden = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    assert int(START.timestamp()) == 1_772_442_000
    assert eight_stories().log_with_reload(PEOPLE) == golden


def test_a_ledger_that_goes_on_from_open_rows_logs_the_same() -> None:
    """A restart between any two events of the day."""
    day, terms = Day(), FixedTerms()
    day.starts(0).signs_in(1, "ann").queued(10, "c").offered(12, "c", "ann").answered(15, "c", "ann", 5)
    day.hangs_up(75, "c", "ann", "caller", 10)
    lines: list[Line] = []
    open_ = OpenThings()
    for event in day.events:
        ledger = Ledger(terms, open_, start=1)
        ledger.handle(event)
        lines += ledger.take()[2]
        open_ = ledger.open
    assert [rendered(line) for line in lines] == day.log()


def test_nothing_that_a_caller_sends_ends_a_field_or_a_line() -> None:
    line = Line(START, "ENTERQUEUE", "c", "billing", params=(1,))
    assert rendered(line, "1|2\r\n3\x1b[2J") == "1772442000|c|billing|NONE|ENTERQUEUE||1_2  3 [2J|1"


def test_a_withheld_number_stays_withheld() -> None:
    line = Line(START, "ENTERQUEUE", "c", "billing", params=(1,))
    for caller in ("anonymous", "Anonymous", "", None, "sip:anonymous@anonymous.invalid"):
        assert rendered(line, caller) == "1772442000|c|billing|NONE|ENTERQUEUE|||1"


def test_an_agent_who_declined_or_whose_phone_was_busy_is_a_ring_without_answer() -> None:
    for result in ("declined", "failed"):
        day = Day().signs_in(0, "ann").queued(1, "c").offered(1, "c", "ann").over(3, "c", "ann", result)
        assert day.log()[-1] == "1772442003|c|billing|ann|RINGNOANSWER|2000"


def test_a_direct_call_of_an_agent_is_not_of_the_queues() -> None:
    day = Day().signs_in(0, "ann").agent(5, "ann", "on_contact", contact="x").agent(9, "ann", "available")
    assert [line.split("|")[4] for line in day.log()] == ["ADDMEMBER", "PAUSE", "UNPAUSE"]


def test_other_phones_that_stop_ringing_do_not_say_who_hung_up() -> None:
    day = Day().signs_in(0, "ann").queued(1, "c").offered(1, "c", "ann").answered(3, "c", "ann", 2)
    day.tell(3, "calls.leg.ended", "c", leg="c-bob", by="us", reason="cancelled").hangs_up(9, "c", "ann", "agent")
    assert day.log()[-1] == "1772442009|c|billing|ann|COMPLETEAGENT|2|6|1"


def test_an_agent_whose_skills_a_supervisor_changes_moves_between_the_queues() -> None:
    day = Day().signs_in(0, "ann").tell(5, "acd.agent.skills_changed", "ann", skills=[["billing", 8], ["sales", 10]])
    day.tell(9, "acd.agent.skills_changed", "ann", skills=None)
    assert [line.split("|", 2)[2] for line in day.log()[3:]] == [
        "sales|ann|ADDMEMBER|",
        "billing|ann|PENALTY|2",
        "sales|ann|REMOVEMEMBER|",
        "billing|ann|PENALTY|0",
    ]


def test_an_agent_who_is_left_no_skill_is_in_no_queue_any_more() -> None:
    day = Day().signs_in(0, "ann").tell(5, "acd.agent.skills_changed", "ann", skills=[])
    day.agent(9, "ann", "not_ready", "lunch")
    assert [line.split("|", 2)[2] for line in day.log()[3:]] == ["billing|ann|REMOVEMEMBER|"]


def test_a_callback_that_reached_nobody_is_no_abandon() -> None:
    day = Day().tell(0, "acd.entry.queued", "c", entry="c-1", queue="billing", skills=["billing"], callback=True)
    day.leaves(60, "c", "ended", 60, outcome="failed", reason="not_reached")
    assert day.log()[-1] == "1772442060|c|billing|NONE|EXITWITHTIMEOUT|1|1|60"


def test_the_ledger_knows_events_by_the_names_that_the_rooms_use() -> None:
    assert set(HANDLERS) <= set(documented())


@pytest.mark.parametrize("outcome", get_args(Outcome))
@pytest.mark.parametrize("reason", [*get_args(EndReason), None])
def test_whatever_ends_a_wait_has_one_last_line(outcome: str, reason: str | None) -> None:
    key = "1" if reason == "key" else None
    day = Day().queued(0, "c").leaves(9, "c", "ended", 9, outcome=outcome, reason=reason, key=key)
    exits = {"key": "EXITWITHKEY", "no_agents": "EXITEMPTY"}
    lost = {"no_agents": "ABANDON"} if outcome == "failed" else {}
    otherwise = "ABANDON" if outcome == "failed" else "EXITWITHTIMEOUT"
    assert [line.split("|")[4] for line in day.log()] == [
        "ENTERQUEUE",
        {**exits, **lost}.get(reason or "", otherwise),
    ]
