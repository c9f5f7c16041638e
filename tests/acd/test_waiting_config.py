"""What queues.yaml says of waiting callers, read and refused by key."""

from collections.abc import Mapping

import pytest

from acd.config import parse
from acd.policies.announcing import AnnouncePolicy
from acd.policies.overflow import OverflowRule, Target
from acd.waiting_config import CallbackConfig, WaitingConfig
from callcenter.kernel.errors import ConfigError

NOBODY: Mapping[str, object] = {"agents": [{"id": "ann", "phone": "1001"}]}


def billing(**keys: object) -> WaitingConfig:
    queues = {"queues": [{"name": "billing", **keys}, {"name": "support"}]}
    return parse(queues, NOBODY).queues[0].waiting


def faults(**keys: object) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        billing(**keys)
    errors = refused.value.data["errors"]
    assert isinstance(errors, list)
    return errors


def test_a_queue_that_says_nothing_tells_nothing() -> None:
    assert billing() == WaitingConfig()


def test_announcements_and_comfort_are_read() -> None:
    waiting = billing(
        announce={"position": True, "expected_wait": True, "first_s": 5, "only_improved": True},
        comfort={"prompt": "please-hold", "every_s": 30},
    )
    assert waiting.announce == AnnouncePolicy(True, True, 5, 60, only_improved=True, comfort_s=30)
    assert waiting.comfort == "please-hold"


def test_overflow_is_read_in_its_order() -> None:
    rules = [
        {"when": "no_agents", "to": {"announcement": "closed"}},
        {"when": "length", "limit": 20, "to": "voicemail"},
        {"when": "expected_wait", "limit": 900, "to": "callback"},
        {"when": "waited", "limit": 60, "to": {"queue": "support"}},
        {"when": "waited", "limit": 90, "to": {"number": "+39061234"}},
        {"when": "waited", "limit": 600},
    ]
    assert billing(overflow=rules).overflow == (
        OverflowRule("no_agents", 0, Target("announcement", "closed")),
        OverflowRule("length", 20, Target("voicemail")),
        OverflowRule("expected_wait", 900, Target("callback")),
        OverflowRule("waited", 60, Target("queue", "support")),
        OverflowRule("waited", 90, Target("number", "+39061234")),
        OverflowRule("waited", 600),
    )


def test_callbacks_and_the_time_for_a_lost_place_are_read() -> None:
    waiting = billing(callback={"tries": 5, "retry_s": 60}, resume_s=120)
    assert (waiting.callback, waiting.resume_s) == (CallbackConfig(5, 60, 25), 120)


def test_what_the_core_needs_is_in_the_policy_and_changes_its_version() -> None:
    plain, talking = (
        parse({"queues": [{"name": "billing", **keys}]}, NOBODY).policy
        for keys in ({}, {"announce": {"position": True}, "overflow": [{"when": "waited", "limit": 9}]})
    )
    assert talking.queues[0].announce.position
    assert talking.queues[0].overflow == (OverflowRule("waited", 9),)
    assert plain.version != talking.version


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"overflow": [{"limit": 5}]}, "overflow[0].when: is missing"),
        ({"overflow": [{"when": "waited"}]}, "overflow[0].limit: is missing"),
        (
            {"overflow": [{"when": "soon", "limit": 1}]},
            "overflow[0].when: must be one of length, expected_wait, waited, no_agents",
        ),
        ({"overflow": [{"when": "waited", "limit": 5, "to": {"queue": "sales"}}]}, "overflow[0].to.queue: 'sales'"),
        (
            {"overflow": [{"when": "waited", "limit": 5, "to": {"queue": "billing"}}]},
            "overflow[0].to.queue: leads back",
        ),
        ({"overflow": [{"when": "waited", "limit": 5, "to": "heaven"}]}, "overflow[0].to: must be one of branch"),
        (
            {"overflow": [{"when": "waited", "limit": 5, "to": {"number": "call me"}}]},
            "overflow[0].to.number: must be",
        ),
        ({"announce": {"every_s": 3}}, "announce.every_s: must be 0"),
        ({"announce": {"postion": True}}, "announce.postion: is not known"),
        ({"comfort": {"prompt": 5}}, "comfort.prompt: must be a text"),
        ({"callback": {"tries": 0}}, "callback.tries: must be a whole number from 1 to 20"),
        ({"resume_s": -1}, "resume_s: must be a whole number"),
    ],
)
def test_a_mistake_is_told_by_its_key(keys: dict[str, object], fault: str) -> None:
    (error,) = faults(**keys)
    assert error.startswith(f"queues.yaml: queues[0].{fault}")
