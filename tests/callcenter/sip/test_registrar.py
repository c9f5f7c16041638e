"""The bindings of one user against RFC 3261 section 10.3."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.sip.hop import Hop
from callcenter.sip.registrar import (
    Accepted,
    Binding,
    Bindings,
    Effect,
    Expire,
    Expired,
    Limits,
    Refused,
    Register,
    Registered,
    Wanted,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOP = Hop("udp", "10.0.0.3", 5060)
LIMITS = Limits(contacts=3)


def register(
    *keys: str, cseq: int = 1, call_id: str = "c", expires: int | None = 600, star: bool = False
) -> Register:
    wanted = tuple(Wanted(key, f"sip:{key}", expires) for key in keys)
    return Register(call_id, cseq, HOP, wanted, star=star, expires_s=expires)


def after(*events: Register | Expire, start: Bindings | None = None) -> tuple[Bindings, list[Effect]]:
    """The bindings after `events`, a second apart, and the effects of the last one."""
    bindings = start or Bindings("ann")
    effects: list[Effect] = []
    for second, event in enumerate(events):
        bindings, effects = bindings.handle(event, now=NOW + timedelta(seconds=second), limits=LIMITS)
    return bindings, effects


def test_first_contact_is_registered() -> None:
    bindings, effects = after(register("a"))
    assert effects == [Accepted(changed=True), Registered(1)]
    assert bindings.contacts == (Binding("a", "sip:a", "c", 1, NOW + timedelta(seconds=600), HOP),)
    assert bindings.next_deadline == NOW + timedelta(seconds=600)


def test_refresh_moves_the_expiry_and_says_nothing_new() -> None:
    bindings, effects = after(register("a"), register("a", cseq=2))
    assert effects == [Accepted(changed=True)]
    assert bindings.next_deadline == NOW + timedelta(seconds=601)


def test_newest_contact_comes_first_and_the_oldest_makes_room() -> None:
    bindings, effects = after(*(register(key, cseq=i) for i, key in enumerate("abcd", 1)))
    assert [binding.key for binding in bindings.contacts] == ["d", "c", "b"]
    assert effects == [Accepted(changed=True), Registered(3), Expired(3)]


def test_query_changes_nothing() -> None:
    bindings, effects = after(register("a"), register())
    assert (len(bindings.contacts), effects) == (1, [Accepted(changed=False)])


def test_zero_seconds_remove_one_contact() -> None:
    bindings, effects = after(register("a"), register("b", cseq=2), register("a", cseq=3, expires=0))
    assert [binding.key for binding in bindings.contacts] == ["b"]
    assert effects == [Accepted(changed=True), Expired(1)]


def test_star_removes_all() -> None:
    bindings, effects = after(register("a"), register("b", cseq=2), register(cseq=3, expires=0, star=True))
    assert (bindings.contacts, effects) == ((), [Accepted(changed=True), Expired(0)])


def test_star_without_bindings_is_accepted() -> None:
    assert after(register(expires=0, star=True))[1] == [Accepted(changed=False)]


@pytest.mark.parametrize(
    ("event", "effect"),
    [
        (register("a", cseq=2, expires=59), Refused(423, "register_brief")),
        (register("a", cseq=5), Refused(500, "register_order")),
        (register("a", cseq=4), Refused(500, "register_order")),
        (register(cseq=5, expires=0, star=True), Refused(500, "register_order")),
        (register(cseq=6, expires=60, star=True), Refused(400, "register_star")),
        (register(cseq=6, expires=None, star=True), Refused(400, "register_star")),
        (register("b", "a", cseq=5), Refused(500, "register_order")),
    ],
)
def test_refused_request_changes_nothing(event: Register, effect: Effect) -> None:
    before, _ = after(register("a", cseq=5))
    bindings, effects = after(event, start=before)
    assert (bindings, effects) == (before, [effect])


def test_rebooted_phone_registers_under_another_call_id() -> None:
    bindings, effects = after(register("a", cseq=5), register("a", cseq=1, call_id="new"))
    assert effects == [Accepted(changed=True)]
    assert bindings.contacts[0].call_id == "new"


@pytest.mark.parametrize(("asked", "granted"), [(None, 3600), (60, 60), (7200, 7200), (100_000, 7200)])
def test_granted_time_is_bounded(asked: int | None, granted: int) -> None:
    bindings, _ = after(register("a", expires=asked))
    assert bindings.next_deadline == NOW + timedelta(seconds=granted)


def test_contact_runs_out() -> None:
    bindings, _ = after(register("a", expires=60), register("b", cseq=2))
    early, effects = bindings.handle(Expire(), now=NOW + timedelta(seconds=59), limits=LIMITS)
    assert (early, effects) == (bindings, [])
    late, effects = bindings.handle(Expire(), now=NOW + timedelta(seconds=60), limits=LIMITS)
    assert ([binding.key for binding in late.contacts], effects) == (["b"], [Expired(1)])


EVENTS = st.one_of(
    st.just(Expire()),
    st.builds(
        lambda keys, cseq, call_id, expires: register(*keys, cseq=cseq, call_id=call_id, expires=expires),
        st.lists(st.sampled_from("abcde"), max_size=3, unique=True),
        st.integers(1, 50),
        st.sampled_from(["c", "d"]),
        st.sampled_from([None, 0, 30, 60, 600]),
    ),
    st.just(register(cseq=1000, expires=0, star=True)),
)


@given(steps=st.lists(st.tuples(st.integers(0, 90), EVENTS), min_size=30, max_size=50))
@settings(max_examples=60, deadline=None)
def test_any_walk_keeps_bindings_alive_few_and_told(steps: list[tuple[int, Register | Expire]]) -> None:
    bindings, told, now = Bindings("ann"), 0, NOW
    for wait, event in steps:
        now += timedelta(seconds=wait)
        bindings, effects = bindings.handle(event, now=now, limits=LIMITS)
        for effect in effects:
            told = effect.contacts if isinstance(effect, Registered | Expired) else told
        keys = [binding.key for binding in bindings.contacts]
        assert len(keys) == len(set(keys)) == told <= LIMITS.contacts
        refused = any(isinstance(effect, Refused) for effect in effects)
        query = isinstance(event, Register) and not event.contacts and not event.star
        assert refused or query or all(binding.expires_at > now for binding in bindings.contacts)
