"""Whatever is changed in a log is named: the line itself, or the first fact that came of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from acd import commands
from acd.model import Policy, QueuePolicy
from acd.replay import ADDED, Logged, replay
from acd.service import AcdService
from acd.version import core_version
from callcenter.kernel.codec import decode, encode
from callcenter.kernel.unit import Draft, Unit
from tests.support.acd_walk import seeded, walked

Data = Mapping[str, object]


def log_of(seed: int, steps: int = 60) -> list[Logged]:
    """The journal of a walk."""
    service, drafts = AcdService(), list[Draft]()
    for now, input_ in walked(seeded(seed, steps)).log:
        unit = Unit(now)
        service.handle(unit, input_)
        drafts += unit.drafts
    return as_logged(drafts)


def as_logged(drafts: list[Draft]) -> list[Logged]:
    return [
        Logged(seq, draft.kind, draft.type, draft.subject, decode(encode(draft.data), dict[str, object]))
        for seq, draft in enumerate(drafts, start=1)
    ]


LOG = log_of(42)
FACTS = [index for index, line in enumerate(LOG) if line.kind == "event"]
INPUTS = [index for index, line in enumerate(LOG) if line.kind == "input"]


def named(log: list[Logged]) -> int:
    """The number of the line at which the replay of `log` goes another way."""
    verdict = replay(log)
    assert verdict.divergence is not None
    return verdict.divergence.seq


def changed(index: int, change: Callable[[Data], Data]) -> list[Logged]:
    line = LOG[index]
    return [*LOG[:index], replace(line, data=change(dict(line.data))), *LOG[index + 1 :]]


def test_the_log_as_it_is_replays() -> None:
    verdict = replay(LOG)
    assert verdict.divergence is None
    assert (verdict.inputs, verdict.facts) == (len(INPUTS), len(FACTS))


@pytest.mark.parametrize("index", FACTS)
def test_a_fact_with_another_field_is_named(index: int) -> None:
    assert named(changed(index, lambda data: {**data, "added": True})) == LOG[index].seq


@pytest.mark.parametrize("index", FACTS[::3])
def test_a_fact_of_another_subject_is_named(index: int) -> None:
    line = LOG[index]
    assert named([*LOG[:index], replace(line, subject="mallory"), *LOG[index + 1 :]]) == line.seq


@pytest.mark.parametrize("index", FACTS[::3])
def test_a_fact_that_is_gone_is_named_by_the_line_that_stands_in_its_place(index: int) -> None:
    without = [*LOG[:index], *LOG[index + 1 :]]
    verdict = replay(without)
    assert verdict.divergence is not None
    assert verdict.divergence.seq == (LOG[index + 1].seq if index + 1 < len(LOG) else LOG[index - 1].seq)
    assert verdict.divergence.replayed is not None


@pytest.mark.parametrize("index", INPUTS[:-1:3])
def test_an_input_that_is_gone_is_named_at_the_next_line(index: int) -> None:
    assert named([*LOG[:index], *LOG[index + 1 :]]) == LOG[index + 1].seq


@pytest.mark.parametrize("index", INPUTS[::3])
def test_an_input_with_another_number_is_named(index: int) -> None:
    assert named(changed(index, lambda data: {**data, "n": 7})) == LOG[index].seq


def test_an_input_that_cannot_be_read_is_named_and_is_no_error() -> None:
    index = next(i for i in INPUTS if LOG[i].type == "acd.input.entry_queued")
    verdict = replay(changed(index, lambda data: {**data, "queue": 7}))
    assert verdict.divergence is not None
    assert verdict.divergence.seq == LOG[index].seq
    assert "queue" in (verdict.divergence.logged or "")


def as_before(log: list[Logged]) -> list[Logged]:
    """As a core wrote it whose facts had fewer fields."""
    lines = [(line, ADDED.get(line.type, ())) for line in log]
    return [
        replace(line, data={name: value for name, value in line.data.items() if name not in added})
        for line, added in lines
    ]


def test_a_log_of_before_some_fields_replays_and_what_else_is_changed_in_it_is_named() -> None:
    old = as_before(LOG)
    assert old != LOG
    verdict = replay(old)
    assert (verdict.divergence, verdict.facts) == (None, len(FACTS))
    index = next(index for index, line in enumerate(old) if line.type == "acd.entry.queued")
    old[index] = replace(old[index], data={**old[index].data, "queue": "another"})
    assert named(old) == old[index].seq


@pytest.mark.parametrize("field", ["since", "callback"])
def test_a_later_field_that_is_there_is_compared(field: str) -> None:
    index = next(index for index, line in enumerate(LOG) if line.type == "acd.entry.queued")
    assert named(changed(index, lambda data: {**data, field: "another"})) == LOG[index].seq


def test_what_this_core_wrote_lacks_nothing() -> None:
    log = log_that_begins_with(core_version())
    assert replay(log).divergence is None
    found = replay(as_before(log)).divergence
    assert found is not None
    assert found.logged is not None
    assert "since" not in found.logged
    assert replay(as_before(log_that_begins_with("0.0.9+another"))).divergence is None


def log_that_begins_with(core: str) -> list[Logged]:
    """A caller waits on a site whose log says which core decides."""
    service, at = AcdService(), datetime(2026, 3, 2, 9, tzinfo=UTC)
    drafts = list[Draft]()
    policy = Policy("v1", queues=(QueuePolicy("billing", (("billing", 1),)),))
    inputs: list[commands.Input] = [
        commands.Restarted(2, core),
        commands.PolicyLoaded(policy),
        commands.EntryQueued("e1", "billing", contact="c1"),
    ]
    for input_ in inputs:
        unit = Unit(at)
        service.handle(unit, input_)
        drafts += unit.drafts
    return as_logged(drafts)


def test_an_offer_to_somebody_else_is_named_with_both_agents() -> None:
    index = next(i for i in FACTS if LOG[i].type == "acd.offer.created")
    verdict = replay(changed(index, lambda data: {**data, "agent": "zoe"}))
    assert verdict.divergence is not None
    assert verdict.divergence.seq == LOG[index].seq
    assert '"agent":"zoe"' in (verdict.divergence.logged or "")
    assert f'"agent":"{LOG[index].data["agent"]}"' in (verdict.divergence.replayed or "")


def test_a_fact_added_at_the_end_is_named() -> None:
    extra = replace(LOG[FACTS[0]], seq=LOG[-1].seq + 1)
    assert named([*LOG, extra]) == extra.seq


def test_the_programs_that_wrote_the_log_are_told() -> None:
    index = next(i for i in INPUTS if LOG[i].type == "acd.input.restarted")
    verdict = replay(changed(index, lambda data: {**data, "core": "0.0.1+old"}))
    assert verdict.divergence is None
    assert verdict.cores[0] == (LOG[index].seq, "0.0.1+old")
