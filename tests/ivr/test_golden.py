"""Golden traces: the sample flow `main` walked by callers as its author meant it."""

from pathlib import Path

from callcenter.calendars import load_calendars
from ivr.events import CallerGone, DialEnded, QueueLeft, RecordingDone
from ivr.loading import load_flows
from ivr.machines.stage import Stage
from ivr.prompts import PromptFolder
from tests.ivr.world import FlowWorld

CONFIG = Path(__file__).resolve().parents[2] / "config"
PROMPTS = PromptFolder(CONFIG / "prompts")
FLOWS = load_flows(CONFIG / "flows", prompts=PROMPTS)


def caller(flow: str = "main", called: str = "800") -> FlowWorld:
    world = FlowWorld(FLOWS[flow], called=called)
    world.stage = Stage(FLOWS[flow], PROMPTS.find, load_calendars(CONFIG / "calendars"))
    return world


GREETED = """\
start
> greeting (play)
< greeting: next
> menu (menu)
"""


def trace(world: FlowWorld) -> str:
    return "\n".join(world.log) + "\n"


def test_account_number_is_read_back_and_the_menu_comes_again() -> None:
    world = caller().starts().hears_all().presses("5").hears_all().presses("10#")
    world.hears_all().presses("1024#").hears_all().takes(CallerGone())
    assert trace(world) == GREETED + (
        "< menu: 5\n"
        "> account (gather)\n"
        "  account collected 4: 1024\n"
        "< account: next\n"
        "> read_back (play)\n"
        "< read_back: next\n"
        "> menu (menu)\n"
        "end: caller_gone\n"
    )


def test_a_caller_for_the_desk_is_asked_for_a_message_when_nobody_answers() -> None:
    world = caller().starts().hears_all().presses("1")
    world.takes(DialEnded(world.run.command, "no_answer")).hears_all().hears_all()
    world.takes(RecordingDone(world.run.command, 3000)).hears_all().hears_all()
    assert trace(world) == GREETED + (
        "< menu: 1\n"
        "> reception (dial)\n"
        "< reception: no_answer\n"
        "> no_one (play)\n"
        "< no_one: next\n"
        "> message (record)\n"
        "< message: next\n"
        "> thanks (play)\n"
        "< thanks: next\n"
        "> goodbye (play)\n"
        "< goodbye: next\n"
        "> end (hangup)\n"
        "end: hangup\n"
    )


def test_a_caller_for_billing_waits_and_talks() -> None:
    world = caller().starts().hears_all().presses("2").hears_all()
    world.takes(QueueLeft(world.run.command, "answered")).hears_all()
    assert trace(world) == GREETED + (
        "< menu: 2\n"
        "> to_billing (play)\n"
        "< to_billing: next\n"
        "> billing (queue)\n"
        "< billing: answered\n"
        "> goodbye (play)\n"
        "< goodbye: next\n"
        "> end (hangup)\n"
        "end: hangup\n"
    )


def test_a_caller_changes_to_chinese_and_hears_the_echo_there() -> None:
    world = caller().starts().hears_all().presses("9")
    assert [Path(file).parts[-2:] for file in world.played] == [("zh", "welcome")]
    world.hears_all().presses("3").presses("#")
    assert trace(world) == GREETED + (
        "< menu: 9\n"
        "> chinese (set)\n"
        "< chinese: next\n"
        "> greeting (play)\n"
        "< greeting: next\n"
        "> menu (menu)\n"
        "< menu: 3\n"
        "> echo (echo)\n"
        "< echo: next\n"
        "> menu (menu)\n"
    )


def test_a_silent_caller_is_told_goodbye_after_three_tries() -> None:
    world = caller().starts().hears_all()
    for _ in range(3):
        world.hears_all().waits(6)
    world.hears_all()
    assert trace(world) == GREETED + (
        "< menu: timeout\n> goodbye (play)\n< goodbye: next\n> end (hangup)\nend: hangup\n"
    )


def test_a_phone_that_calls_a_busy_phone_gets_its_status() -> None:
    world = caller("internal", called="1002").starts()
    world.takes(DialEnded("f1", "busy"))
    assert trace(world) == ("start\n> ring (dial)\n< ring: busy\n> busy (hangup)\nend: hangup\n")
