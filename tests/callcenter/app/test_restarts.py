"""When a dead child comes back."""

from callcenter.app.restarts import Restarts


def test_first_death_after_a_steady_life_is_made_good_at_once() -> None:
    assert Restarts().died(alive_s=3600.0) == (Restarts(), 0.0)


def test_child_that_keeps_dying_young_waits_longer_each_time_up_to_two_seconds() -> None:
    restarts, delays = Restarts(), []
    for _ in range(6):
        restarts, delay = restarts.died(alive_s=0.1)
        delays.append(delay)
    assert delays == [0.2, 0.5, 1.0, 2.0, 2.0, 2.0]


def test_a_steady_life_forgives_the_young_deaths_before() -> None:
    restarts, _ = Restarts(young=4).died(alive_s=5.0)
    assert restarts.died(alive_s=1.0)[1] == 0.2
