"""A core that is resumed from its rows in the middle of a log decides as the one that wrote them."""

from typing import get_args

import pytest

from acd.core import Distributor
from acd.snapshot import KINDS, START, Row, Snapshot, packed, rows_of, unpacked
from acd.state import Kind
from callcenter.kernel.codec import encode
from tests.support.acd_walk import Walk, seeded, walked


def taken(core: Distributor) -> Snapshot:
    """As the archive finds it: the rows by way of their bytes."""
    rows: list[tuple[Kind, dict[str, Row]]] = [
        ("agent", dict(core.agents)),
        ("entry", dict(core.entries)),
        ("offer", dict(core.offers)),
        ("care", dict(core.cares)),
        ("estimate", dict(core.estimates)),
    ]
    blobs = [(kind, id_, encode(row)) for kind, found in rows for id_, row in found.items()]
    return unpacked(packed(Snapshot(7, core.number, core.policy, rows_of(blobs))))


def resumed_at(walk: Walk, cut: int) -> None:
    before = Distributor()
    for now, input_ in walk.log[:cut]:
        before.handle(input_, now=now)
    snapshot = taken(before)
    core = snapshot.core()
    assert core.next_deadline == before.next_deadline
    assert snapshot.differs(core) is None
    told = [core.handle(input_, now=now) for now, input_ in walk.log[cut:]]
    assert told == walk.told[cut:]
    assert core.number == walk.core.number


@pytest.mark.parametrize("seed", range(8))
def test_core_resumed_anywhere_goes_on_as_if_nothing_had_been(seed: int) -> None:
    walk = walked(seeded(20_000 + seed, 60))
    for cut in range(3, len(walk.log), 17):
        resumed_at(walk, cut)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(300))
def test_many_cores_resumed_anywhere_go_on(seed: int) -> None:
    walk = walked(seeded(30_000 + seed, 90))
    for cut in range(2 + seed % 5, len(walk.log), 11):
        resumed_at(walk, cut)


def test_snapshots_have_every_kind_of_row_that_the_core_changes() -> None:
    assert set(KINDS) == set(get_args(Kind))


def test_a_site_that_has_not_begun_has_an_empty_core() -> None:
    core = START.core()
    assert (core.number, dict(core.agents), core.policy.version) == (0, {}, "none")
    assert unpacked(packed(START)) == START


def test_a_difference_names_the_row() -> None:
    walk = walked(seeded(5, 60))
    snapshot = taken(walk.core)
    assert snapshot.differs(walk.core) is None
    key = next(key for key in snapshot.rows if key[0] == "agent")
    without = {other: blob for other, blob in snapshot.rows.items() if other != key}
    found = Snapshot(7, snapshot.number, snapshot.policy, without).differs(walk.core)
    assert found is not None
    assert found[:2] == (" ".join(key), "none")
