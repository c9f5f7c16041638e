"""Flow documents: every fault is found, all at once, with file, node and branch."""

from pathlib import Path

import pytest
import yaml

from callcenter.calendars import load_calendars
from ivr.errors import FlowsInvalid, Problem
from ivr.loading import check_folder, load_flows
from ivr.prompts import PromptFolder

CONFIG = Path(__file__).resolve().parents[2] / "config"
QUEUES = ["billing", "sales"]
CALENDARS = ["office"]
END = {"kind": "hangup"}
PLAY = {"kind": "play", "prompts": ["welcome"], "next": "end"}
MENU = {
    "kind": "menu",
    "prompts": ["main-menu"],
    "digits": {"1": "end"},
    "on_timeout": "end",
    "on_invalid": "end",
}
GATHER = {
    "kind": "gather",
    "prompts": ["enter-account"],
    "into": "account",
    "max": 8,
    "next": "end",
    "on_timeout": "end",
    "on_invalid": "end",
}
DIAL = {
    "kind": "dial",
    "target": "1001",
    "next": "end",
    "on_busy": "end",
    "on_no_answer": "end",
    "on_declined": "end",
    "on_unreachable": "end",
}
QUEUE = {"kind": "queue", "queue": "billing", "next": "end", "on_timeout": "end", "on_full": "end"}


@pytest.fixture(scope="module")
def prompts() -> PromptFolder:
    return PromptFolder(CONFIG / "prompts")


def document(first: object, **keys: object) -> dict[str, object]:
    return {
        "name": "test",
        "language": "en",
        "start": "first",
        "on_error": "end",
        "nodes": {"first": first, "end": END},
        **keys,
    }


def problems_of(tmp_path: Path, prompts: PromptFolder, raw: object) -> list[str]:
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    report = check_folder(tmp_path, prompts=prompts, queues=QUEUES, calendars=CALENDARS)
    assert list(report.problems) == sorted(report.problems)
    return [str(problem).removeprefix("test.yaml: ") for problem in report.problems]


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({**PLAY, "kind": "plya"}, 'first: kind: unknown kind "plya"; did you mean "play"?'),
        ({"prompts": []}, "first: kind: is missing"),
        ("play", "first: must be a mapping with a kind"),
        ({**PLAY, "next": "edn"}, 'first: next: unknown node "edn"; did you mean "end"?'),
        ({"kind": "play", "prompts": ["welcome"]}, "first: next: missing branch"),
        ({**PLAY, "prompt": "x"}, 'first: prompt: is not a key here; did you mean "prompts"?'),
        ({**PLAY, "prompts": []}, "first: prompts: names no prompt"),
        (
            {**PLAY, "prompts": ["welcom"]},
            'first: prompts: missing prompt "welcom" in language "en"; did you mean "welcome"?',
        ),
        ({**PLAY, "prompts": [{"sing": "x"}]}, "first: prompts: {'sing': 'x'} is neither a prompt nor say_digits or"),
        ({**PLAY, "prompts": [{"say_digits": "${vars.x}"}]}, 'first: prompts: variable "x" is never set'),
        ({**PLAY, "prompts": [{"say_digits": 12}]}, "first: prompts: must be text (quotes around it?)"),
        ({**PLAY, "barge_in": "yes"}, "first: barge_in: must be true or false"),
        ({**PLAY, "on_error": "nowhere"}, 'first: error: unknown node "nowhere"'),
        ({**MENU, "digits": {"1": "edn"}}, 'first: 1: unknown node "edn"; did you mean "end"?'),
        ({**MENU, "digits": {"12": "end"}}, "first: digits.12: bad digit '12': one of 0123456789*#ABCD in quotes"),
        ({**MENU, "digits": {1: "end"}}, "first: digits.1: bad digit 1: one of 0123456789*#ABCD in quotes"),
        ({**MENU, "digits": {}}, "first: digits: no usable digit"),
        ({**MENU, "digits": {"1": None}}, "first: digits.1: missing branch"),
        ({k: v for k, v in MENU.items() if k != "on_timeout"}, "first: on_timeout: missing branch"),
        ({k: v for k, v in MENU.items() if k != "on_invalid"}, "first: on_invalid: missing branch"),
        ({**MENU, "tries": 0}, "first: tries: must be a whole number from 1 to 10"),
        ({**MENU, "timeout_s": -1}, "first: timeout_s: must be seconds, above 0 and at most 120"),
        ({**GATHER, "min": 9}, "first: min: is above max (9 > 8)"),
        ({**GATHER, "terminator": "5"}, "first: terminator: bad digit '5': a digit cannot end digits"),
        ({**GATHER, "terminator": "##"}, "first: terminator: bad digit '##': one of 0123456789*#ABCD in quotes"),
        ({k: v for k, v in GATHER.items() if k != "into"}, "first: into: is missing"),
        (
            {"kind": "hours", "calendar": "ofice", "open": "end", "closed": "end"},
            'first: calendar: unknown calendar "ofice"; did you mean "office"?',
        ),
        ({"kind": "hours", "calendar": "office", "open": "end"}, "first: closed: missing branch"),
        ({"kind": "set", "values": {"a": [1]}, "next": "end"}, "first: values.a: must be text, a whole number"),
        ({"kind": "set", "values": {"a": "${1 +}"}, "next": "end"}, "first: values.a: expected a value"),
        ({"kind": "set", "values": {"language": "zh"}, "next": "end"}, "first: values.language: must be one of the"),
        ({"kind": "branch", "cases": [], "else": "end"}, "first: cases: must be a list of {if, next}"),
        ({"kind": "branch", "cases": [{"if": "caller =", "next": "end"}], "else": "end"}, "first: case_1.if: cannot"),
        (
            {"kind": "branch", "cases": [{"if": "true", "next": "x"}], "else": "end"},
            'first: case_1: unknown node "x"',
        ),
        ({"kind": "branch", "cases": [{"if": "true"}], "else": "end"}, "first: case_1.next: missing branch"),
        ({"kind": "branch", "cases": [{"if": "true", "next": "end"}]}, "first: else: missing branch"),
        (
            {"kind": "branch", "cases": [{"if": "time.hours == 1", "next": "end"}], "else": "end"},
            'first: case_1: time has no "hours"; did you mean "hour"?',
        ),
        ({**DIAL, "target": "${calld}"}, "first: target: unknown name 'calld'"),
        ({**DIAL, "target": "${caller.x}"}, 'first: target: "caller" has no parts ("caller.x")'),
        ({**DIAL, "target": "${customer}"}, 'first: target: "customer": write customer.NAME'),
        ({**DIAL, "target": 1001}, "first: target: must be text (quotes around it?)"),
        ({k: v for k, v in DIAL.items() if k != "on_busy"}, "first: on_busy: missing branch"),
        ({**QUEUE, "queue": "biling"}, 'first: queue: unknown queue "biling"; did you mean "billing"?'),
        ({**QUEUE, "skills": {"billing": 11}}, "first: skills.billing: must be a level from 1 to 10"),
        ({**QUEUE, "priority": 100}, "first: priority: must be a whole number from 1 to 99"),
        ({**QUEUE, "music": ["jazz"]}, 'first: music: missing prompt "jazz" in language "en"'),
        ({"kind": "echo", "seconds": 5}, "first: next: missing branch"),
        ({"kind": "echo", "next": "end"}, "first: next: is never taken: give seconds or exit"),
        ({"kind": "record", "max_s": 0, "next": "end"}, "first: max_s: must be a whole number from 1 to 3600"),
        ({"kind": "hangup", "status": 200}, "first: status: must be a whole number from 400 to 699"),
    ],
)
def test_each_fault_of_a_node_is_named(tmp_path: Path, prompts: PromptFolder, node: object, problem: str) -> None:
    found = problems_of(tmp_path, prompts, document(node))
    assert any(line.startswith(problem) for line in found), found


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "must be a mapping with name, language, start and nodes"),
        (document(PLAY, start="frist"), 'start: unknown node "frist"; did you mean "first"?'),
        (document(PLAY, on_error="x"), 'on_error: unknown node "x"'),
        (document(PLAY, zone="Europe/Rom"), "zone: unknown time zone 'Europe/Rom'"),
        (document(PLAY, languages="zh"), "languages: must be a list of languages"),
        (document(PLAY, colour="red"), "colour: is not a key here"),
        (document(PLAY, languages=["fr"]), 'first: prompts: missing prompt "welcome" in language "fr"'),
        (document(PLAY, nodes={"first": PLAY, "end": END, "lost": END}), "lost: unreachable: no branch leads here"),
        ({"name": "test"}, "language: is missing"),
    ],
)
def test_each_fault_of_a_document_is_named(tmp_path: Path, prompts: PromptFolder, raw: object, problem: str) -> None:
    found = problems_of(tmp_path, prompts, raw)
    assert any(line.startswith(problem) for line in found), found


def test_a_node_without_an_error_branch_is_a_fault_unless_the_flow_has_one(
    tmp_path: Path, prompts: PromptFolder
) -> None:
    raw = document(PLAY)
    del raw["on_error"]
    assert problems_of(tmp_path, prompts, raw) == ["first: on_error: missing branch"]
    assert problems_of(tmp_path, prompts, document(PLAY)) == []


def test_a_language_whose_numbers_are_not_recorded_is_a_fault(tmp_path: Path, prompts: PromptFolder) -> None:
    raw = document({**PLAY, "prompts": [{"say_number": "12"}]}, language="fr")
    assert 'first: prompts: say_number: no numbers in language "fr"' in problems_of(tmp_path, prompts, raw)


def test_a_loop_that_never_waits_for_anybody_is_a_fault(tmp_path: Path, prompts: PromptFolder) -> None:
    nodes = {
        "first": {"kind": "branch", "cases": [{"if": "true", "next": "again"}], "else": "end"},
        "again": {**PLAY, "next": "first"},
        "end": END,
    }
    assert problems_of(tmp_path, prompts, document(None, nodes=nodes)) == [
        "again: loop without an exit (again -> first -> again): no caller input, wait or end in it"
    ]


def test_a_loop_through_a_menu_is_none(tmp_path: Path, prompts: PromptFolder) -> None:
    nodes = {"first": {**PLAY, "next": "menu"}, "menu": {**MENU, "digits": {"1": "first"}}, "end": END}
    assert problems_of(tmp_path, prompts, document(None, nodes=nodes)) == []


def test_masked_digits_may_not_be_dialled(tmp_path: Path, prompts: PromptFolder) -> None:
    nodes = {
        "first": {**GATHER, "masked": True, "next": "dial"},
        "dial": {**DIAL, "target": "${vars.account}"},
        "end": END,
    }
    assert problems_of(tmp_path, prompts, document(None, nodes=nodes)) == [
        'dial: target: masked variable "account" may not be dialled'
    ]


def test_all_faults_of_all_files_come_at_once(tmp_path: Path, prompts: PromptFolder) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(document({**PLAY, "next": "x"}, name="a")))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(document({**MENU, "tries": 99, "timeout_s": 0}, name="a")))
    (tmp_path / "c.yaml").write_text("nodes: [")
    (tmp_path / "d.yaml").write_text("name: x\nnodes: {a: {}, a: {}}\n")
    with pytest.raises(FlowsInvalid) as refused:
        load_flows(tmp_path, prompts=prompts, queues=QUEUES, calendars=CALENDARS)
    places = [(problem.file, problem.node, problem.branch) for problem in refused.value.problems]
    assert places == [
        ("a.yaml", "first", "next"),
        ("b.yaml", "", "name"),
        ("b.yaml", "first", "timeout_s"),
        ("b.yaml", "first", "tries"),
        ("c.yaml", "", ""),
        ("d.yaml", "", ""),
    ]
    assert "'a' twice" in refused.value.problems[-1].message


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert check_folder(tmp_path).problems == (Problem(str(tmp_path), "", "", "holds no flow (*.yaml)"),)


def test_the_sample_flows_are_right(prompts: PromptFolder) -> None:
    calendars = load_calendars(CONFIG / "calendars")
    report = check_folder(CONFIG / "flows", prompts=prompts, queues=QUEUES, calendars=calendars)
    assert report.problems == ()
    assert set(report.flows) >= {"main", "echo", "internal", "office-hours"}
    assert report.lines()[0].startswith("echo: 2 nodes, version ")


def test_a_version_is_the_documents_content_and_not_its_comments_or_order(tmp_path: Path) -> None:
    text = "name: x\nlanguage: en\nstart: end\nnodes: {end: {kind: hangup}}\n"
    versions = set[str]()
    for changed in (text, "# comment\n" + text, text.replace("language: en\nstart: end", "start: end\nlanguage: en")):
        (tmp_path / "x.yaml").write_text(changed)
        versions.add(load_flows(tmp_path)["x"].version)
    assert len(versions) == 1
    (tmp_path / "x.yaml").write_text(text.replace("hangup", "hangup, status: 486"))
    assert load_flows(tmp_path)["x"].version not in versions
