"""Reading a bank's log: what a row means, what is odd about it, and what cannot be read."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from acd.laboratory.technion import FLAGS, Rejected, read
from callcenter.kernel.errors import InvalidInput
from tests.support.bank import HEADER, LOST, ZONE, february, logged, row


def test_row_becomes_a_call_of_its_zone() -> None:
    (call,) = logged(row(priority="2")).calls
    assert call.at == datetime(1999, 2, 3, 7, 0, tzinfo=UTC)
    assert (call.type, call.priority, call.outcome, call.agent) == ("PS", 2, "served", "ANN")
    assert (call.menu_s, call.waited_s, call.handled_s) == (10, 30, 120)
    assert (call.source, call.flags) == ("log.tsv:2", ())


def test_file_may_have_no_header_windows_line_ends_and_empty_lines() -> None:
    log = read([row() + "\r\n", "\r\n", row(vru_entry="9:00:01", vru_exit="9:00:11") + "\r\n"], file="f", zone=ZONE)
    assert [call.source for call in log.calls] == ["f:1", "f:3"]
    assert log.rejected == ()


def test_header_may_name_the_columns_in_any_order() -> None:
    names, cells = HEADER.split("\t"), row().split("\t")
    log = read(["\ufeff" + "\t".join(reversed(names)), "\t".join(reversed(cells))], file="log.tsv", zone=ZONE)
    assert log.calls == logged(row()).calls


def test_header_that_leaves_a_column_out_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput, match="q_time, server"):
        read([HEADER.replace("\tq_time", "").replace("\tserver", "")], file="f", zone=ZONE)


@pytest.mark.parametrize(
    ("changed", "flags"),
    [
        ({"vru_time": "-57", "vru_exit": "8:59:03", "q_start": "8:59:03", "q_time": "97"}, ("menu_negative",)),
        ({"vru_time": "11"}, ("menu_mismatch",)),
        ({"q_time": "31"}, ("queue_mismatch",)),
        ({"q_start": "9:00:12", "q_time": "28"}, ("queue_gap",)),
        ({"server": "NO_SERVER"}, ("no_agent",)),
        ({"server": ""}, ("no_agent",)),
        ({"type": "XX"}, ("unknown_type",)),
        ({"priority": "7"}, ("unknown_priority",)),
    ],
)
def test_odd_row_is_kept_with_its_handle_time(changed: dict[str, str], flags: tuple[str, ...]) -> None:
    (call,) = logged(row(**changed)).calls
    assert call.flags == flags
    assert call.handled_s == 120


@pytest.mark.parametrize(
    ("changed", "flags"),
    [
        ({"ser_time": "-5", "ser_exit": "9:00:35"}, ("service_negative",)),
        ({"ser_time": "0", "ser_exit": "9:00:40"}, ("service_zero",)),
        ({"ser_time": "119"}, ("service_mismatch",)),
        ({"ser_start": "9:00:29", "ser_time": "131"}, ("service_early",)),
        ({**LOST, "ser_start": "9:00:40", "ser_exit": "9:00:50", "ser_time": "10"}, ("service_unserved",)),
        ({"outcome": "PHANTOM"}, ("phantom", "agent_unserved")),
    ],
)
def test_odd_service_leaves_the_handle_times_only(changed: dict[str, str], flags: tuple[str, ...]) -> None:
    (call,) = logged(row(**changed)).calls
    assert call.flags == flags
    assert call.handled_s is None
    assert call.waited_s == 30


def test_negative_wait_counts_as_none() -> None:
    (call,) = logged(row(q_time="-30", q_start="9:00:40", q_exit="9:00:10", vru_exit="9:00:40", vru_time="40")).calls
    assert (call.waited_s, call.flags) == (0, ("queue_negative",))


def test_services_that_overlap_on_one_agent_are_both_flagged() -> None:
    later = {"vru_entry": "9:01:00", "vru_exit": "9:01:10", "q_start": "9:01:10", "q_exit": "9:01:40"}
    overlapping = row(**later, ser_start="9:02:39", ser_exit="9:04:39")
    touching = row(**later, ser_start="9:04:39", ser_exit="9:06:39")
    another = row(**later, ser_start="9:01:40", ser_exit="9:03:40", server="BOB")
    calls = logged(row(), overlapping, touching, another).calls
    assert [call.flags for call in calls] == [("service_overlap",), ("service_overlap",), (), ()]
    assert [call.handled_s for call in calls] == [None, None, 120, 120]


def test_services_past_midnight_overlap_too() -> None:
    late = {"vru_entry": "23:59:00", "vru_exit": "23:59:10", "q_start": "23:59:10", "q_exit": "23:59:40"}
    early = {"vru_entry": "0:00:10", "vru_exit": "0:00:20", "q_start": "0:00:20", "q_exit": "0:00:50"}
    log = logged(
        row(**late, ser_start="23:59:40", ser_exit="0:01:40"),
        row(**early, ser_start="0:01:00", ser_exit="0:03:00", date="990204"),
    )
    assert [call.flags for call in log.calls] == [("service_overlap",), ("service_overlap",)]


def test_wait_past_midnight_is_nothing_odd() -> None:
    (call,) = logged(
        row(**LOST, vru_entry="23:59:20", vru_exit="23:59:30", q_start="23:59:30", q_exit="0:00:00")
    ).calls
    assert (call.outcome, call.waited_s, call.flags) == ("abandoned", 30, ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row() + "\tmore", "18 columns instead of 17"),
        ("nothing", "1 columns instead of 17"),
        (row(outcome="LOST"), "outcome: 'LOST' is none of AGENT, HANG, PHANTOM"),
        (row(date="990230"), "date: '990230' is no day (yymmdd)"),
        (row(date="1999-02-03"), "date: '1999-02-03' is no day (yymmdd)"),
        (row(vru_entry="25:00:00"), "vru_entry: '25:00:00' is no time of day (h:mm:ss)"),
        (row(q_exit="9:0"), "q_exit: '9:0' is no time of day (h:mm:ss)"),
        (row(ser_time="2m"), "ser_time: '2m' is no whole number"),
        (row(priority=""), "priority: '' is no whole number"),
        (row(q_time="³"), "q_time: '³' is no whole number"),
    ],
)
def test_unreadable_row_is_rejected_with_line_and_reason(line: str, reason: str) -> None:
    log = logged(row(), line, row(vru_entry="9:00:01", vru_time="9"))
    assert log.rejected == (Rejected(3, reason),)
    assert len(log.calls) == 2


def test_times_that_the_clock_skipped_or_had_twice_are_flagged() -> None:
    # Asia/Jerusalem put its clock forward on 2 April 1999 at 2:00, and back on 3 September at 2:00.
    times = {"vru_exit": "1:30:10", "q_start": "1:30:10", "q_exit": "1:30:40"}
    served = {"ser_start": "1:30:40", "ser_exit": "1:32:40"}
    twice = row(date="990903", vru_entry="1:30:00", **times, **served)
    skipped = row(
        date="990402",
        vru_entry="2:30:00",
        **{name: value.replace("1:", "2:", 1) for name, value in (times | served).items()},
    )
    assert [call.flags for call in logged(twice, skipped).calls] == [("clock_repeated",), ("clock_skipped",)]


def test_century_of_a_date_is_that_of_1970_to_2069() -> None:
    assert [call.at.year for call in logged(row(date="700203"), row(date="690203", server="BOB")).calls] == [
        1970,
        2069,
    ]


def test_whole_february_is_read_with_its_flags() -> None:
    log = february()
    assert len(log.calls) == 33_344
    assert log.rejected == ()
    assert Counter(call.outcome for call in log.calls) == {"served": 27_162, "abandoned": 5_904, "phantom": 278}
    # Each counted apart with awk: by row from its own columns, overlaps from the services sorted by agent and start;
    # the flags that are not here were counted too, and are none.
    assert Counter(flag for call in log.calls for flag in call.flags) == {
        "service_overlap": 680,
        "no_agent": 491,
        "phantom": 278,
        "service_early": 159,
        "service_unserved": 97,
        "service_zero": 85,
        "menu_negative": 25,
        "queue_gap": 4,
    }
    assert {flag for call in log.calls for flag in call.flags} <= FLAGS.keys()
