"""queues.yaml and agents.yaml: what is read, and how mistakes are told."""

from pathlib import Path

import pytest

from acd.config import load, parse
from acd.model import Capacity, QueuePolicy, Ring, Settings, SkillRequirement
from callcenter.kernel.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"
QUEUE = {"name": "billing", "skills": {"billing": 1}}
AGENT = {"id": "ann", "phone": "1001", "skills": {"billing": 3}}


def errors_of(queues: object, agents: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(queues, agents)
    found = caught.value.data["errors"]
    assert isinstance(found, list)
    assert str(caught.value) == "\n".join(found)
    return found


def test_sample_files_are_valid_and_have_somebody_for_each_queue() -> None:
    roster = load(CONFIG)
    assert {queue.name for queue in roster.queues} >= {"billing", "support", "sales"}
    assert [(agent.id, agent.phone) for agent in roster.agents] == [
        ("ann", "1001"),
        ("bob", "1002"),
        ("chen", "1003"),
    ]
    ann = roster.agent("ann")
    assert roster.agent_of_phone("1001") is ann
    assert roster.queue("nowhere") is None


def test_defaults_are_filled_in() -> None:
    roster = parse({"queues": [QUEUE]}, {"agents": [AGENT]})
    queue, agent = roster.queues[0], roster.agents[0]
    assert (queue.ring_s, queue.wrap_up_s, queue.record, queue.max_wait_s) == (20, 30, False, None)
    assert (agent.name, agent.user, agent.delivery) == ("ann", "ann", "phone")
    assert roster.settings == Settings()


def test_policy_has_neither_names_nor_phones_and_a_version_of_its_content() -> None:
    first = parse({"queues": [QUEUE]}, {"agents": [{**AGENT, "name": "Ann"}]}).policy
    renamed = parse({"queues": [QUEUE]}, {"agents": [{**AGENT, "name": "Anna", "phone": "1009"}]}).policy
    changed = parse({"queues": [{**QUEUE, "ring_s": 9}]}, {"agents": [AGENT]}).policy
    assert first == renamed
    assert first.version != changed.version


def test_an_agent_knows_after_whose_callers_he_must_ask_for_a_wrap_up() -> None:
    queues = [
        {**QUEUE, "name": "timed"},
        {**QUEUE, "name": "none", "wrap_up_s": 0},
        {**QUEUE, "name": "optional", "wrap_up": "optional"},
        {**QUEUE, "name": "mandatory", "wrap_up": "mandatory", "wrap_up_s": 0},
    ]
    own: list[dict[str, object]] = [
        {},
        {"wrap_up_s": 60},
        {"wrap_up": "timed"},
        {"wrap_up_s": 0},
        {"wrap_up": "mandatory"},
    ]
    agents = [{**AGENT, "id": f"agent{n}", "phone": str(n), **each} for n, each in enumerate(own)]
    roster = parse({"queues": queues}, {"agents": agents})
    assert [roster.wraps_up_when_asked(agent) for agent in roster.agents] == [
        ("none", "optional"),
        ("optional",),
        ("none", "mandatory"),
        ("timed", "none", "optional"),
        (),
    ]


def test_all_mistakes_are_told_at_once_each_with_its_key() -> None:
    queues = {
        "distributor": {"misses": 0, "speed": 9},
        "queues": [{"name": "billing", "ring_s": "soon"}, {"ring_s": 301, "record": "yes", "musik": "a"}, 7],
    }
    agents = {"agents": [{"id": "ann"}, {"id": "ann", "phone": 1001, "delivery": "post", "skills": {"a": 11, 5: 1}}]}
    assert errors_of(queues, agents) == [
        "queues.yaml: distributor.misses: must be a whole number from 1 to 100",
        "queues.yaml: distributor.speed: is not known",
        "queues.yaml: queues[2]: must be a mapping",
        "queues.yaml: queues[0].ring_s: must be a whole number from 1 to 300",
        "queues.yaml: queues[1].name: is missing",
        "queues.yaml: queues[1].ring_s: must be a whole number from 1 to 300",
        "queues.yaml: queues[1].record: must be true or false",
        "queues.yaml: queues[1].musik: is not known",
        "queues.yaml: queues[2].name: is missing",
        "agents.yaml: agents[0].phone: is missing",
        "agents.yaml: agents[1].phone: must be a text (quote numbers)",
        "agents.yaml: agents[1].delivery: must be one of phone, console",
        "agents.yaml: agents[1].skills.a: must be a whole number from 1 to 10",
        "agents.yaml: agents[1].skills.5: is not known",
        "agents.yaml: agents[1].id: 'ann' is there twice",
        "agents.yaml: agents[1].user: 'ann' is there twice",
    ]


@pytest.mark.parametrize("nothing", [None, {}, {"queues": []}, {"queues": "billing"}])
def test_site_without_queues_is_refused(nothing: object) -> None:
    assert errors_of(nothing, {"agents": [AGENT]}) == ["queues.yaml: queues: must be a list with at least one item"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "queues.yaml").write_text("queues: [\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    first, second = str(caught.value).splitlines()
    assert first.startswith("queues.yaml: is not YAML in line")
    assert second.startswith("agents.yaml: cannot be read")


def test_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "queues.yaml").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "agents.yaml").write_text("agents: []\n")
    with pytest.raises(ConfigError, match=r"queues\.yaml: is not UTF-8"):
        load(tmp_path)


def test_dispositions_are_those_of_the_file_or_the_usual_ones() -> None:
    mine = {"code": "sold", "names": {"en": "Sold", "zh": "已成交"}}
    roster = parse({"queues": [QUEUE], "dispositions": [mine]}, {"agents": [AGENT]})
    assert [(each.code, dict(each.names)["zh"]) for each in roster.dispositions] == [("sold", "已成交")]
    usual = parse({"queues": [QUEUE]}, {"agents": [AGENT]}).dispositions
    assert "resolved" in {each.code for each in usual}


def test_a_disposition_needs_a_code_of_its_own_and_a_name() -> None:
    named = {"names": {"en": "Sold"}}
    wrong = [{"code": "sold", **named}, {"code": "sold", **named}, {"code": "Not sold!", **named}, {"code": "bare"}]
    assert errors_of({"queues": [QUEUE], "dispositions": wrong}, {"agents": [AGENT]}) == [
        "queues.yaml: dispositions[2].code: must be small letters, digits and '_', at most 40",
        "queues.yaml: dispositions[3].names: must have a text in at least one language",
        "queues.yaml: dispositions[1].code: 'sold' is there twice",
    ]


def test_routing_keys_become_the_policy_of_queue_and_agent() -> None:
    queue = {
        **QUEUE,
        "strategy": "lowest_level",
        "requires": [
            {"skill": "law", "min_level": 3, "relax": "never"},
            {"any_of": [{"skill": "a"}, {"skill": "b"}]},
        ],
        "teams": ["day"],
        "rings": [{"seconds": 20}, {"seconds": 5, "lower": 1, "reserve": 2}, {"drop": ["a"], "teams": ["*"]}],
        "wrap_up": "optional",
        "preferred": "last_agent",
        "preferred_s": 7,
        "head_start_s": 90,
    }
    agent = {
        **AGENT,
        "teams": ["day"],
        "weight": 4,
        "wrap_up_s": 9,
        "capacity": {"chat": 3},
        "interruptible": ["chat"],
    }
    roster = parse({"distributor": {"priority_s": 5}, "queues": [queue]}, {"agents": [agent]})
    policy = roster.policy
    assert roster.queues[0].routing.preferred == ("last_agent",)
    assert policy.queues == (
        QueuePolicy(
            "billing",
            (("billing", 1),),
            wrap_up_s=30,
            strategy="lowest_level",
            requires=(
                (SkillRequirement("law", 3, "never"),),
                (SkillRequirement("a"), SkillRequirement("b")),
            ),
            teams=("day",),
            rings=(Ring(20), Ring(5, lower=1, reserve=2), Ring(drop=("a",), teams=("*",))),
            wrap_up="optional",
            preferred_s=7,
            head_start_s=90,
        ),
    )
    assert policy.agents[0].capacity == (Capacity("chat", 3, interruptible=True),)
    assert (policy.agents[0].teams, policy.agents[0].weight, policy.agents[0].wrap_up_s) == (("day",), 4, 9)
    assert policy.settings == Settings(priority_s=5)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, ()),
        ("account_owner", ("account_owner",)),
        (["account_owner", "last_agent"], ("account_owner", "last_agent")),
        (["last_agent", "account_owner"], ("last_agent", "account_owner")),
    ],
)
def test_whom_callers_are_to_have_is_one_word_or_several_in_order(written: object, meant: tuple[str, ...]) -> None:
    roster = parse({"queues": [{**QUEUE, "preferred": written}]}, {"agents": [AGENT]})
    assert roster.queues[0].routing.preferred == meant


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("first_agent", "must be one or a list of account_owner, last_agent"),
        (["account_owner", "ann"], "must be one or a list of account_owner, last_agent"),
        (["last_agent", "last_agent"], "has something twice"),
    ],
)
def test_whom_callers_are_to_have_is_told_with_its_key_where_it_is_nobody(written: object, mistake: str) -> None:
    errors = errors_of({"queues": [{**QUEUE, "preferred": written}]}, {"agents": [AGENT]})
    assert errors == [f"queues.yaml: queues[0].preferred: {mistake}"]


def test_mistakes_in_routing_keys_are_told_with_their_keys() -> None:
    queue = {
        **QUEUE,
        "strategy": "fastest",
        "requires": [{"min_level": 11}, {"any_of": [], "skill": "a"}],
        "teams": "day",
        "rings": [{"lower": 10}, {"seconds": 5, "drop": ["law"]}, *[{"seconds": 1}] * 5],
        "wrap_up": "never",
    }
    agent = {**AGENT, "teams": ["*"], "weight": 0, "capacity": {"voice": 2, "fax": 1}, "interruptible": ["chat"]}
    assert errors_of({"queues": [queue]}, {"agents": [agent]}) == [
        "queues.yaml: queues[0].requires[0].skill: is missing",
        "queues.yaml: queues[0].requires[0].min_level: must be a whole number from 1 to 10",
        "queues.yaml: queues[0].requires[1].any_of: must be a list with at least one item",
        "queues.yaml: queues[0].requires[1].skill: is not known",
        "queues.yaml: queues[0].rings[0].lower: must be a whole number from 0 to 9",
        "queues.yaml: queues[0].rings[1].drop: 'law' is no skill that the queue needs",
        "queues.yaml: queues[0].rings: must be at most 6",
        "queues.yaml: queues[0].rings[0].seconds: is missing (only the last ring has no end)",
        "queues.yaml: queues[0].strategy: must be one of longest_idle, longest_since_contact, fewest_contacts, "
        "round_robin, highest_level, lowest_level, weighted_random, ring_all",
        "queues.yaml: queues[0].teams: must be a list of texts",
        "queues.yaml: queues[0].wrap_up: must be one of timed, mandatory, optional",
        "agents.yaml: agents[0].teams: '*' stands for everybody and is no team",
        "agents.yaml: agents[0].weight: must be a whole number from 1 to 1000",
        "agents.yaml: agents[0].capacity.fax: is not known",
        "agents.yaml: agents[0].interruptible: 'chat' is no channel of which `capacity` has any",
        "agents.yaml: agents[0].capacity.voice: must be 0 or 1: nobody has two calls at once",
    ]
