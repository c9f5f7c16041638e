"""What the journal promises: order, wholeness, one owner, and calls that outlive a full disk."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.kernel import journal as journal_module
from callcenter.kernel.journal import Journal, JournalReader
from callcenter.kernel.journal_file import JournalTooNew, from_ms, to_ms
from callcenter.kernel.unit import Unit
from tests.callcenter.kernel.journals import START, JournalWorld


@pytest.fixture
def reader(world: JournalWorld) -> JournalReader:
    return JournalReader(world.path)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def fill_disk(world: JournalWorld) -> None:
    db = world.journal._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")


def make_room(world: JournalWorld) -> None:
    world.journal._db.execute("PRAGMA max_page_count=1000000")


def big_unit(world: JournalWorld, *names: str) -> Unit:
    unit = world.unit(*names)
    unit.save("contact", "c1", "x" * 50_000)
    return unit


def test_events_are_published_and_actions_run_in_the_order_of_units(world: JournalWorld) -> None:
    world.commit(world.unit("a", "b"), world.unit("c"))
    assert world.done == ["calls.test.a", "calls.test.b", "did a", "did b", "calls.test.c", "did c"]


def test_no_action_runs_before_its_unit_is_on_disk(world: JournalWorld) -> None:
    seen: list[list[tuple[object, ...]]] = []
    unit = world.unit()
    unit.event("calls.test.a", "c1")
    unit.after_commit(lambda: seen.append(rows(world.path, "SELECT type FROM journal")))
    world.commit(unit)
    assert seen == [[("calls.test.a",)]]


def test_empty_unit_with_nothing_before_it_acts_at_once(world: JournalWorld) -> None:
    unit = Unit(START)
    unit.after_commit(lambda: world.done.append("did it"))
    world.journal.submit(unit)
    assert world.done == ["did it"]


def test_empty_unit_does_not_overtake_the_one_before_it(world: JournalWorld) -> None:
    late = Unit(START)
    late.after_commit(lambda: world.done.append("late"))
    world.commit(world.unit("a"), late)
    assert world.done == ["calls.test.a", "did a", "late"]


def test_empty_unit_submitted_by_an_action_does_not_overtake_the_next_action(world: JournalWorld) -> None:
    nested = Unit(START)
    nested.after_commit(lambda: world.done.append("nested"))
    first = Unit(START)
    first.event("calls.test.a", "c1")
    first.after_commit(lambda: world.journal.submit(nested))
    first.after_commit(lambda: world.done.append("second"))
    world.journal.submit(first)
    world.loop.turn_until(lambda: "nested" in world.done)
    assert world.done == ["calls.test.a", "second", "nested"]


def test_numbers_have_no_gaps_and_go_on_after_a_restart(world: JournalWorld) -> None:
    world.commit(world.unit("a", "b"))
    world.journal.close()
    world.reopen()
    world.commit(world.unit("c"))
    assert [event.seq for event in world.published] == [1, 2, 3]


def test_published_event_is_the_one_that_is_read_back(world: JournalWorld, reader: JournalReader) -> None:
    unit = world.unit(ms=1)
    unit.event("calls.contact.ended", "c1", by="caller", status=None, count=2**40)
    world.commit(unit)
    assert reader.events_of("c1") == world.published
    assert world.published[0].at == (START + timedelta(milliseconds=1)).replace(microsecond=124000)
    reader.close()


@pytest.mark.parametrize("ms", [0, 1, 999, 1_772_442_000_123, 4_102_444_799_999])
def test_milliseconds_survive_the_way_through_a_moment(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_inputs_are_numbered_and_published_to_nobody(world: JournalWorld, reader: JournalReader) -> None:
    unit = world.unit()
    unit.input("acd.core.tick", "acd", at=5)
    unit.event("calls.test.a", "c1")
    world.commit(unit)
    assert [(e.type, e.seq) for e in world.published] == [("calls.test.a", 2)]
    assert [e.seq for e in reader.events_after(0, 10)] == [2]
    assert reader.last_seq() == 2
    reader.close()


def test_state_row_is_the_last_one_saved_or_gone(world: JournalWorld, reader: JournalReader) -> None:
    first, second, third = world.unit(), world.unit(), world.unit()
    first.save("contact", "c1", {"n": 1})
    first.save("contact", "c2", {"n": 1})
    second.save("contact", "c1", {"n": 2})
    third.delete("contact", "c2")
    world.commit(first, second, third)
    assert reader.states("contact") == [("c1", b'{"n":2}')]
    reader.close()


def test_lag_is_how_long_the_turn_of_the_loop_takes(world: JournalWorld) -> None:
    world.journal.submit(world.unit("a"))
    assert world.journal.lag_s(START + timedelta(seconds=3)) == 3.0
    world.commit(world.unit("b"))
    assert world.journal.lag_s(START + timedelta(seconds=3)) == 0.0


def test_unit_that_tells_nobody_anything_is_on_disk_soon(world: JournalWorld, reader: JournalReader) -> None:
    unit = world.unit()
    unit.save("contact", "c1", {"n": 1})
    world.journal.submit(unit)
    assert world.journal.lag_s(START + timedelta(seconds=3)) == 0.0
    world.loop.turn_until(lambda: bool(reader.states("contact")))
    reader.close()


def test_unit_that_tells_nobody_anything_is_written_with_the_next_and_before_it(
    world: JournalWorld, reader: JournalReader
) -> None:
    quiet, next_ = world.unit(), world.unit("a")
    quiet.save("contact", "c1", {"n": 1})
    next_.save("contact", "c1", {"n": 2})
    world.commit(quiet, next_)
    assert reader.states("contact") == [("c1", b'{"n":2}')]
    reader.close()


def test_personal_data_is_merged_apart_from_the_events(world: JournalWorld, reader: JournalReader) -> None:
    for data in ({"caller": "+431", "collected": {"menu": "2"}}, {"collected": {"pin": "77"}}):
        unit = world.unit()
        unit.remember_person("c1", **data)
        world.commit(unit)
    assert reader.people(["c1", "c9"]) == {"c1": {"caller": "+431", "collected": {"menu": "2", "pin": "77"}}}
    assert rows(world.path, "SELECT count(*) FROM journal") == [(0,)]
    reader.close()


def test_forgotten_person_is_in_no_page_of_the_file(world: JournalWorld) -> None:
    unit = world.unit("a")
    unit.remember_person("c1", caller="+4366412345")
    world.commit(unit)
    unit = world.unit()
    unit.forget_person("c1")
    world.commit(unit)
    world.journal.close()
    assert b"+4366412345" not in world.path.read_bytes()
    world.reopen()


def test_newer_application_fences_the_older_before_it_writes(world: JournalWorld) -> None:
    world.commit(world.unit("a"))
    newer = Journal(world.path, call_soon=world.loop.call_soon, publish=lambda _: None)
    world.journal.submit(world.unit("b"))
    world.loop.turn_until(lambda: world.fenced)
    assert newer.epoch == world.journal.epoch + 1
    assert not world.is_healthy()
    assert world.done == ["calls.test.a", "did a"]
    assert rows(world.path, "SELECT type FROM journal") == [("calls.test.a",)]
    newer.close()


def test_full_disk_lets_actions_run_and_keeps_the_facts(world: JournalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    fill_disk(world)
    world.journal.submit(big_unit(world, "bye"))
    world.loop.turn_until(lambda: bool(world.done))
    assert world.done == ["did bye"]
    assert not world.is_healthy()
    assert world.journal.lag_s(START + timedelta(seconds=3)) == 3.0

    make_room(world)
    world.loop.turn_until(lambda: bool(world.published))
    assert world.done == ["did bye", "calls.test.bye"]
    assert world.is_healthy()
    assert world.journal.lag_s(START + timedelta(seconds=3)) == 0.0


def test_full_disk_does_not_delay_the_actions_of_later_units(
    world: JournalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_S", 3600.0)
    fill_disk(world)
    world.journal.submit(big_unit(world, "one"))
    world.loop.turn_until(lambda: bool(world.done))
    world.journal.submit(world.unit("two"))
    empty = Unit(START)
    empty.after_commit(lambda: world.done.append("empty"))
    world.journal.submit(empty)
    world.loop.turn_until(lambda: "empty" in world.done)
    assert world.done == ["did one", "did two", "empty"]


def test_actions_that_ran_on_a_full_disk_do_not_run_again(
    world: JournalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    fill_disk(world)
    world.journal.submit(big_unit(world, "one"))
    world.loop.turn_until(lambda: bool(world.done))
    make_room(world)
    world.loop.turn_until(lambda: bool(world.published))
    world.commit(world.unit("two"))
    assert world.done == ["did one", "calls.test.one", "calls.test.two", "did two"]
    at_once = Unit(START)
    at_once.after_commit(lambda: world.done.append("at once"))
    world.journal.submit(at_once)
    assert world.done[-1] == "at once"


def test_closing_with_a_full_disk_ends(world: JournalWorld, caplog: pytest.LogCaptureFixture) -> None:
    fill_disk(world)
    world.journal.submit(big_unit(world, "one"))
    world.journal.close()
    assert world.done == ["did one"]
    assert "journal closed with facts unwritten" in caplog.messages
    world.reopen()


def test_closing_commits_and_acts_on_what_has_queued(world: JournalWorld) -> None:
    for name in "abc":
        world.journal.submit(world.unit(name))
    world.journal.close()
    assert [did for did in world.done if did.startswith("did")] == ["did a", "did b", "did c"]
    assert rows(world.path, "SELECT count(*) FROM journal") == [(3,)]
    world.reopen()


def unencodable(world: JournalWorld) -> Unit:
    unit = world.unit("a")
    unit.event("calls.test.bad", "c1", value=object())
    return unit


def unstorable(world: JournalWorld) -> Unit:
    unit = world.unit("a")
    unit.drafts.append(type(unit.drafts[0])("event", "calls.test.bad", None, {}))  # type: ignore[arg-type]  # the bug
    return unit


@pytest.mark.parametrize(("broken", "kept"), [(unencodable, "calls.test.a"), (unstorable, "calls.test.b")])
def test_unit_that_cannot_be_written_is_counted_and_takes_no_other_with_it(
    world: JournalWorld, broken: Callable[[JournalWorld], Unit], kept: str
) -> None:
    world.commit(world.unit("0"), broken(world), world.unit("b"))
    assert "did a" in world.done
    assert world.done[-1] == "did b"
    assert world.journal.surprises == 1
    assert world.is_healthy()
    assert (kept,) in rows(world.path, "SELECT type FROM journal")
    assert ("calls.test.bad",) not in rows(world.path, "SELECT type FROM journal")


def test_action_that_raises_is_counted_and_the_next_one_runs(world: JournalWorld) -> None:
    unit = Unit(START)
    unit.event("calls.test.a", "c1")
    unit.after_commit(lambda: world.done.remove("nothing"))
    unit.after_commit(lambda: world.done.append("next"))
    world.commit(unit)
    assert world.done[-1] == "next"
    assert world.journal.surprises == 1


def test_pruning_takes_what_is_old_projected_and_of_no_living_subject(world: JournalWorld) -> None:
    units = [world.unit("x", ms=1000 * n, contact=f"c{n}") for n in range(5)]
    for n, unit in enumerate(units):
        unit.remember_person(f"c{n}", caller=f"+43{n}")
    units[1].save("contact", "c1", {})
    world.commit(*units)
    deleted: list[int] = []
    world.journal.prune(projected=4, before=START + timedelta(seconds=3), done=deleted.append)
    world.loop.turn_until(lambda: bool(deleted))
    assert deleted == [2]
    assert rows(world.path, "SELECT subject FROM journal ORDER BY seq") == [("c1",), ("c3",), ("c4",)]
    assert rows(world.path, "SELECT contact FROM personal") == [("c1",), ("c3",), ("c4",)]


def test_pruning_goes_in_steps_and_never_gives_a_number_twice(
    world: JournalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "PRUNE_ROWS", 3)
    world.commit(world.unit(*"abcdefgh"))
    deleted: list[int] = []
    world.journal.prune(projected=8, before=START + timedelta(days=1), done=deleted.append)
    world.loop.turn_until(lambda: bool(deleted))
    assert deleted == [7]
    world.journal.close()
    world.reopen()
    world.commit(world.unit("i"))
    assert world.published[-1].seq == 9


def test_pruning_spares_what_is_not_projected(world: JournalWorld) -> None:
    world.commit(world.unit(*"abcd"))
    deleted: list[int] = []
    world.journal.prune(projected=2, before=START + timedelta(days=1), done=deleted.append)
    world.loop.turn_until(lambda: bool(deleted))
    assert rows(world.path, "SELECT seq FROM journal") == [(3,), (4,)]


def test_units_of_a_busy_loop_all_arrive(world: JournalWorld) -> None:
    units = [world.unit(f"n{n}") for n in range(2_000)]
    for unit in units:
        world.journal.submit(unit)
    world.loop.turn_until(lambda: len(world.published) == 2_000)
    assert [event.seq for event in world.published] == list(range(1, 2_001))


def test_last_time_is_known_after_a_restart(world: JournalWorld) -> None:
    assert world.journal.last_at is None
    world.commit(world.unit("a", ms=5))
    world.journal.close()
    assert world.reopen().last_at == (START + timedelta(milliseconds=5)).replace(microsecond=128000)


def test_journals_can_be_told_apart(world: JournalWorld, tmp_path: Path, reader: JournalReader) -> None:
    (tmp_path / "other").mkdir()
    other = JournalWorld(tmp_path / "other")
    other.journal.close()
    assert reader.identity == world.journal.identity != other.journal.identity
    reader.close()


def test_reader_cannot_write(world: JournalWorld, reader: JournalReader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM journal")
    reader.close()


def test_reader_makes_no_journal_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        JournalReader(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_journal_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "live.db")) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(JournalTooNew, match="schema 99"):
        Journal(tmp_path / "live.db", call_soon=lambda callback: callback(), publish=lambda _: None)
