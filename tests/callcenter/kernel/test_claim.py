"""Who may be the active application, by what a look at the site database shows."""

from datetime import UTC, datetime, timedelta

from callcenter.kernel.claim import PATIENCE, Claim, Seen, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEW = Claim("callcenter me")
ACTIVE = NEW.entered(7)


def verdict(claim: Claim, seen: Seen, *, after: timedelta = timedelta(0)) -> Verdict:
    return claim.look(seen, now=NOW + after)[1]


def test_free_lock_makes_a_new_application_active_whatever_the_epoch() -> None:
    assert verdict(NEW, Seen(locked=True)) is Verdict.HELD
    assert verdict(NEW, Seen(locked=True, epoch=41)) is Verdict.HELD


def test_new_application_is_refused_once_the_other_has_had_time_to_end() -> None:
    other = Seen(locked=False, holder="callcenter other", epoch=7)
    waiting, first = NEW.look(other, now=NOW)
    assert first is Verdict.CONTESTED
    assert verdict(waiting, other, after=PATIENCE - timedelta(milliseconds=1)) is Verdict.CONTESTED
    assert verdict(waiting, other, after=PATIENCE) is Verdict.TAKEN


def test_patience_begins_anew_when_the_lock_changes_hands() -> None:
    other = Seen(locked=False, holder="callcenter other")
    waiting, _ = NEW.look(other, now=NOW)
    calm, seen = waiting.look(Seen(locked=False), now=NOW)
    assert seen is Verdict.CONTESTED
    assert verdict(calm, other, after=PATIENCE) is Verdict.CONTESTED


def test_predecessor_on_the_same_data_is_dead_and_waited_for_without_end() -> None:
    lingering = Seen(locked=False, holder=NEW.me, epoch=7)
    assert verdict(NEW, lingering, after=100 * PATIENCE) is Verdict.LINGERING
    assert verdict(ACTIVE, lingering, after=100 * PATIENCE) is Verdict.LINGERING


def test_lost_connection_is_not_a_lost_lock() -> None:
    assert verdict(ACTIVE, Seen(locked=True, epoch=7)) is Verdict.HELD


def test_active_application_stops_for_a_higher_epoch_only() -> None:
    assert verdict(ACTIVE, Seen(locked=True, epoch=8)) is Verdict.OVERTAKEN
    assert verdict(ACTIVE, Seen(locked=False, holder="callcenter other", epoch=8)) is Verdict.OVERTAKEN
    assert verdict(ACTIVE, Seen(locked=False, holder="callcenter other", epoch=7), after=100 * PATIENCE) is (
        Verdict.CONTESTED
    )


def test_database_that_was_put_back_to_an_older_state_stops_nobody() -> None:
    assert verdict(ACTIVE, Seen(locked=True, epoch=3)) is Verdict.HELD
    assert verdict(ACTIVE, Seen(locked=True)) is Verdict.HELD
