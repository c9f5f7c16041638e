"""Scenarios as people write them, with the mistakes that they make."""

from collections.abc import Mapping

import pytest

from acd.laboratory.scenario_file import changed, read_scenario, with_policy
from callcenter.kernel.errors import ConfigError

POOL: Mapping[str, object] = {"arrivals_per_min": 4.2, "service_s": 120, "agents": 12}
SITE: Mapping[str, object] = {
    "hours": 2,
    "period_minutes": 60,
    "call_types": {
        "billing": {"arrivals_per_min": [1, 2], "service_s": 200, "patience_s": 60},
        "gold": {"arrivals_per_min": 0.5, "service_s": 100, "queue": "billing", "patience_s": 90},
    },
    "groups": {"ann": {"agents": [3, 4], "skills": {"billing": 1}}},
}


def faults(document: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read_scenario("s.yaml", document)
    return caught.value.message


def test_a_pool_waits_for_ever_and_warms_up_unless_it_is_told_otherwise() -> None:
    scenario = read_scenario("s.yaml", POOL)
    assert scenario.types[0].patience is None
    assert scenario.waiting_room is None
    assert not scenario.start_empty
    assert scenario.warm_up_s > 600
    day = read_scenario("s.yaml", {**POOL, "start_empty": True, "hours": 8, "patience_s": 60})
    assert day.types[0].patience is not None
    assert (day.warm_up_s, day.hours) == (0, 8)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"agents": None}, "s.yaml: agents: is missing"),
        ({"agents": 2.5}, "s.yaml: agents: must be a whole number from 1 to 20000"),
        ({"service_s": "long"}, "s.yaml: service_s: must be a number"),
        ({"arrivals_per_min": -1}, "s.yaml: arrivals_per_min: must be a number from 0"),
        ({"waiting_room": -1}, "s.yaml: waiting_room: must be a whole number"),
        ({"patience_s": 0}, "s.yaml: patience_s: must be a number"),
        ({"start_empty": "yes"}, "s.yaml: start_empty: must be true or false"),
        ({"agent": 3}, "s.yaml: agent: is not known"),
        ({"agents": 8}, "s.yaml: agents: 8 cannot carry a load of 8.4"),
        ({"arrivals_per_min": 5.99999}, "takes too long to settle"),
    ],
)
def test_a_mistake_names_its_key(changes: Mapping[str, object], told: str) -> None:
    assert told in faults(changed("s.yaml", POOL, changes))


def test_all_mistakes_are_told_at_once() -> None:
    assert len(faults({"agents": 0, "service_s": -1}).splitlines()) == 3


def test_an_overloaded_pool_is_fine_when_callers_give_up_or_find_no_room() -> None:
    for changes in ({"patience_s": 60}, {"waiting_room": 5}, {"start_empty": True}):
        assert read_scenario("s.yaml", {**POOL, "agents": 8, **changes}).groups[0].agents == (8,)


def test_a_site_has_types_groups_and_periods() -> None:
    scenario = read_scenario("s.yaml", {**SITE, "opens": "09:30"})
    assert scenario.period_names == ("09:30", "10:30")
    assert scenario.types[1].per_min == (0.5, 0.5)
    assert {queue.name for queue in scenario.policy.queues} == {"billing"}
    assert scenario.policy.agents[0].skills == (("billing", 1),)
    assert len(scenario.groups[0].names) == 4


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("call_types.billing.arrivals_per_min", [1, 2, 3], "call_types.billing.arrivals_per_min: has 3 values for 2"),
        ("call_types.billing.service_shape", "flat", "call_types.billing.service_shape: must be one of exponential"),
        ("call_types.billing.queue", "x", "call_types.gold.queue: there is no queue 'billing'"),
        ("groups.ann.agents", [3, 1.5], "groups.ann.agents: must be a whole number"),
        ("groups.ann.skills", {"billing": 11}, "groups.ann.skills.billing: must be a whole number from 1 to 10"),
        ("period_minutes", 50, "period_minutes: must divide the hours"),
        ("opens", "9 o'clock", "opens: must be a time of day"),
        ("start_empty", False, "start_empty: must be true where rates or staff change"),
        ("queues", [{"name": "x", "ring_s": 0}], "s.yaml: queues[0].ring_s: must be"),
        (
            "groups.ann.skills",
            {"sales": 1},
            "call_types.billing: no agent has the skills that queue 'billing' asks for",
        ),
        ("groups", {}, "groups: must have at least one group"),
    ],
)
def test_a_mistake_in_a_site_names_its_key(path: str, value: object, told: str) -> None:
    document = changed("s.yaml", SITE, {path: value})
    if path == "call_types.billing.queue":
        document = changed("s.yaml", document, {"queues": [{"name": "x"}]})
    assert told in faults(document)


def test_a_value_in_the_depth_can_be_set_and_the_document_stays_as_it_was() -> None:
    document = changed("s.yaml", SITE, {"groups.ann.agents.1": 9, "call_types.gold.patience_s": 5})
    assert read_scenario("s.yaml", document).groups[0].agents == (3, 9)
    assert read_scenario("s.yaml", SITE).groups[0].agents == (3, 4)
    with pytest.raises(ConfigError, match=r"s\.yaml: groups\.bob\.agents: is not known"):
        changed("s.yaml", SITE, {"groups.bob.agents": 1})


def test_a_policy_changes_rules_and_not_callers() -> None:
    policy = {"queues": [{"name": "billing", "wrap_up_s": 7}], "call_types": {"gold": {"priority": 80}}}
    scenario = read_scenario("p.yaml", with_policy(SITE, "p.yaml", policy))
    assert scenario.policy.queues[0].wrap_up_s == 7
    assert scenario.types[1].priority == 80
    with pytest.raises(ConfigError, match=r"p\.yaml: call_types\.gold\.patience_s: is not a matter of policy"):
        with_policy(SITE, "p.yaml", {"call_types": {"gold": {"patience_s": 5}}})
    with pytest.raises(ConfigError, match=r"p\.yaml: hours: is not a key of a policy"):
        with_policy(SITE, "p.yaml", {"hours": 5})
    with pytest.raises(ConfigError, match=r"p\.yaml: call_types\.silver: is not in the scenario"):
        with_policy(SITE, "p.yaml", {"call_types": {"silver": {"priority": 5}}})
