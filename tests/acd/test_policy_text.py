"""The policy as text: read as the files are, every mistake at its key and line."""

import pytest

from acd.policy_text import PolicyInvalid, Problem, Texts, checked, difference, line_of

QUEUES = """\
# who waits where
queues:
  - name: billing
    skills: {billing: 1}
    ring_s: 20
  - name: sales
"""
AGENTS = """\
agents:
  - id: ann
    phone: "1001"
    skills:
      billing: 3
"""


def problems(queues: str = QUEUES, agents: str = AGENTS) -> list[Problem]:
    with pytest.raises(PolicyInvalid) as refused:
        checked(Texts(queues, agents))
    told = [
        {"file": one.file, "key": one.key, "message": one.message, "line": one.line} for one in refused.value.problems
    ]
    assert refused.value.data == {"errors": told}
    return list(refused.value.problems)


def test_good_texts_make_a_roster() -> None:
    roster = checked(Texts(QUEUES, AGENTS))
    assert [queue.name for queue in roster.queues] == ["billing", "sales"]
    assert roster.agents[0].skills == (("billing", 3),)


def test_json_is_a_text_too() -> None:
    roster = checked(Texts('{"queues": [{"name": "q"}]}', '{"agents": [{"id": "ann", "phone": "1"}]}'))
    assert roster.queues[0].name == "q"


def test_every_mistake_is_told_at_its_key_and_line() -> None:
    queues = QUEUES.replace("ring_s: 20", "ring_s: 0").replace("name: sales", "nam: sales")
    agents = AGENTS.replace("billing: 3", "billing: 11")
    found = [(one.file, one.key, one.line) for one in problems(queues, agents)]
    assert ("queues.yaml", "queues[0].ring_s", 5) in found
    assert ("queues.yaml", "queues[1].nam", 6) in found
    assert ("queues.yaml", "queues[1].name", 6) in found
    assert ("agents.yaml", "agents[0].skills.billing", 5) in found


def test_a_text_that_is_no_yaml_is_told_with_its_line() -> None:
    (one,) = problems(queues="queues:\n  - name: [")
    assert (one.file, one.key) == ("queues.yaml", "")
    assert one.line is not None


@pytest.mark.parametrize("text", ["[" * 5000, "\0", "!!python/object/apply:os.system [ls]"])
def test_hostile_texts_are_mistakes_and_no_errors(text: str) -> None:
    assert problems(agents=text)[0].file == "agents.yaml"


def test_an_empty_text_lacks_everything() -> None:
    assert [one.key for one in problems(queues="")] == ["queues"]


def test_line_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    assert line_of(QUEUES, "queues[1].skills.billing") == 6
    assert line_of(QUEUES, "distributor.misses") == 1
    assert line_of("", "queues") is None


def test_difference_names_file_and_lines() -> None:
    changed = difference(Texts(QUEUES, AGENTS), Texts(QUEUES, AGENTS.replace("billing: 3", "billing: 4")))
    assert changed.splitlines()[:2] == ["--- agents.yaml", "+++ agents.yaml"]
    assert "-      billing: 3\n+      billing: 4\n" in changed
    assert difference(Texts(QUEUES, AGENTS), Texts(QUEUES, AGENTS)) == ""
