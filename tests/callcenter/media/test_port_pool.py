"""Which port comes next."""

import pytest

from callcenter.kernel.errors import Overloaded
from callcenter.media.port_pool import QUARANTINE_S, PortPool


def test_ports_are_even_and_their_neighbours_lie_in_the_range() -> None:
    pool = PortPool(20001, 20006)
    assert [pool.take(0), pool.take(0)] == [20002, 20004]
    with pytest.raises(Overloaded):
        pool.take(0)


def test_a_port_rests_before_it_is_used_again_and_goes_to_the_end_of_the_row() -> None:
    pool = PortPool(20000, 20003)
    pool.give_back(pool.take(10), 10)
    assert pool.take(10) == 20002
    with pytest.raises(Overloaded):
        pool.take(10)
    assert pool.take(10 + QUARANTINE_S) == 20000
