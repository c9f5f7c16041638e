"""Calls from a table."""

import pytest

from acd.experiment import run_trial
from acd.laboratory.recorded import RecordedCall, read_recorded
from acd.laboratory.scenario_file import read_scenario
from callcenter.kernel.errors import ConfigError

DAY = {
    "hours": 1,
    "opens": "09:00",
    "calls": "day.csv",
    "call_types": {"billing": {"service_s": 60}, "gold": {"service_s": 60, "queue": "billing"}},
    "groups": {"ann": {"agents": 1, "skills": {"billing": 1}}},
}
CALLS = ["at,type,patience_s,handle_s", "09:00:30,gold,,30", "09:00:00,billing,,60", "40,billing,15,60"]


def test_times_are_by_the_clock_or_since_opening() -> None:
    assert read_recorded("day.csv", CALLS, 9 * 60) == (
        RecordedCall(0, "billing", None, 60_000),
        RecordedCall(30_000, "gold", None, 30_000),
        RecordedCall(40_000, "billing", 15_000, 60_000),
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["at,kind", "0,x"], "day.csv: there is no column type"),
        (["at,type,x", "0,x,1"], "day.csv: column 'x' is not known"),
        (["at,type", "noon,billing"], "day.csv: line 2: at: must be a time"),
        (["at,type", "08:59,billing"], "day.csv: line 2: at: must be a time"),
        (["at,type,handle_s", "0,billing,1", "5,billing,-3"], "day.csv: line 3: handle_s: must be seconds"),
        (["at,type", "0,"], "day.csv: line 2: type: is missing"),
        (["at,type", "0,silver"], "calls: there is no call type 'silver'"),
    ],
)
def test_a_mistake_names_line_and_column(lines: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_scenario("s.yaml", DAY, lines)
    assert told in caught.value.message


def test_what_is_recorded_is_kept_in_every_replication() -> None:
    scenario = read_scenario("s.yaml", DAY, CALLS)
    for number in range(2):
        counts = run_trial([scenario], 1, number)[0].overall
        assert (counts.offered, counts.served, counts.abandoned) == (3, 2, 1)
        assert counts.wait_ms == 30_000 + 15_000
        assert counts.handle_ms == 90_000


def test_what_is_not_recorded_is_drawn() -> None:
    scenario = read_scenario("s.yaml", DAY, ["at,type", "0,billing"])
    handled = {run_trial([scenario], 1, number)[0].overall.handle_ms for number in range(3)}
    assert len(handled) == 3
