"""Bridge: three conditions in any order, one join."""

from itertools import permutations

import pytest

from callcenter.director.machines.bridge import (
    AcceptCaller,
    Announced,
    Bridge,
    BridgeEffect,
    BridgeInput,
    CallerUp,
    Join,
    OtherGone,
    OtherUp,
    Sound,
    Unannounced,
)

SPOKEN = ("recorded.wav",)
MUSIC = ("music.wav",)


def run(bridge: Bridge, *inputs: BridgeInput) -> tuple[Bridge, list[BridgeEffect]]:
    effects: list[BridgeEffect] = []
    for event in inputs:
        bridge, more = bridge.handle(event)
        effects += more
    return bridge, effects


def test_a_waiting_caller_hears_the_announcement_then_music_then_the_agent() -> None:
    bridge = Bridge(record=True, announcement=SPOKEN, waiting_sound=MUSIC)
    _, effects = run(bridge, CallerUp(), Announced(), OtherUp("leg"))
    assert effects == [
        Sound("announcement", SPOKEN, loop=False),
        Sound("waiting", MUSIC, loop=True),
        Join("leg", record=True),
    ]


def test_a_quick_agent_waits_for_the_end_of_the_announcement() -> None:
    bridge, effects = run(Bridge(record=True, announcement=SPOKEN), CallerUp(), OtherUp("leg"))
    assert Join("leg", record=True) not in effects
    _, effects = bridge.handle(Announced())
    assert effects == [Join("leg", record=True)]


def test_an_announcement_that_cannot_be_played_joins_them_without_a_recording() -> None:
    bridge, _ = run(Bridge(record=True, announcement=SPOKEN), CallerUp(), OtherUp("leg"))
    assert run(bridge, Unannounced())[1] == [Join("leg", record=False)]


def test_a_caller_who_is_not_answered_is_answered_with_the_other_phone() -> None:
    bridge, effects = run(Bridge(), OtherUp("leg"))
    assert effects == [AcceptCaller("leg")]
    _, effects = bridge.handle(CallerUp())
    assert effects == [Join("leg", record=False)]


@pytest.mark.parametrize("order", list(permutations([CallerUp(), Announced(), OtherUp("leg")])))
def test_whatever_the_order_there_is_one_join_and_it_comes_last(order: tuple[BridgeInput, ...]) -> None:
    bridge = Bridge(record=True, announcement=SPOKEN, waiting_sound=MUSIC)
    seen: list[list[BridgeEffect]] = []
    for event in order:
        bridge, effects = bridge.handle(event)
        seen.append(effects)
    joins = [effects for effects in seen if Join("leg", record=True) in effects]
    assert len(joins) == 1
    assert Join("leg", record=True) in seen[-1]


def test_a_bridge_that_lost_its_other_leg_waits_for_the_next() -> None:
    bridge, _ = run(Bridge(), CallerUp(), OtherUp("one"), OtherGone())
    _, effects = bridge.handle(OtherUp("two"))
    assert effects == [Join("two", record=False)]


def test_repeats_change_nothing() -> None:
    bridge, _ = run(Bridge(waiting_sound=MUSIC), CallerUp(), OtherUp("leg"))
    assert bridge.handle(CallerUp()) == (bridge, [])
    assert bridge.handle(OtherUp("leg")) == (bridge, [])
