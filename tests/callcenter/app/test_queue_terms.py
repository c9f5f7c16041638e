"""What is held against the queues, as the site writes it; and who serves them."""

from pathlib import Path

import pytest

from acd.model import AgentPolicy, Policy, QueuePolicy, Ring, SkillRequirement
from callcenter.app.queue_terms import SiteTerms, WrittenTerms, load_queue_terms
from callcenter.kernel.errors import ConfigError
from callcenter.reporting.visits import QueueTerms


def load(folder: Path, text: str) -> WrittenTerms:
    (folder / "metrics.yaml").write_text(text)
    return load_queue_terms(folder, ["billing", "sales"])


def test_without_a_file_every_queue_has_twenty_seconds_and_no_alarm(tmp_path: Path) -> None:
    assert load_queue_terms(tmp_path, ["billing"]) == WrittenTerms({}, QueueTerms())


def test_a_queue_has_the_defaults_of_the_file_where_it_says_nothing(tmp_path: Path) -> None:
    terms = load(tmp_path, "defaults: {threshold_s: 30, target: 0.8}\nqueues: {sales: {threshold_s: 10}}\n")
    assert terms.others == QueueTerms(threshold_s=30, target=0.8)
    assert terms.queues == {"sales": QueueTerms(threshold_s=10, target=0.8)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defaults: {treshold_s: 3}", "defaults.treshold_s: is not a setting; did you mean 'threshold_s'?"),
        ("defaults: {threshold_s: 0}", "defaults.threshold_s: must be 1 to 86400"),
        ("queues: {sales: {target: 80}}", "queues.sales.target: must be above 0 and at most 1"),
        ("queues: {sales: {variant: sl_best}}", "queues.sales.variant: must be one of sl_answered, sl_sl2"),
        ("queues: {slaes: {}}", "queues.slaes: is no queue of queues.yaml"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)
    assert raised.value.message.startswith(f"metrics.yaml: {said}")


def test_the_sample_site_has_terms_that_fit() -> None:
    config = Path(__file__).resolve().parents[3] / "config"
    assert (
        load_queue_terms(config, ["billing", "support", "sales", "sales_chinese"]).queues["sales"].threshold_s == 15
    )


def test_members_are_those_who_may_serve_in_some_ring_and_their_penalty_grows_as_the_level_falls() -> None:
    either = (SkillRequirement("german", 2), SkillRequirement("french", 2))
    queues = (
        QueuePolicy("billing", (("billing", 3),), rings=(Ring(20), Ring(lower=1))),
        QueuePolicy("europe", requires=(either,), teams=("north",)),
    )
    agents = (
        AgentPolicy("ann", (("billing", 10), ("french", 4)), teams=("north",)),
        AgentPolicy("bob", (("billing", 2), ("german", 9))),
        AgentPolicy("cleo", (("billing", 1),)),
    )
    policy = Policy("v1", queues, agents)
    terms = SiteTerms(WrittenTerms(), lambda: policy)
    assert terms.members() == {"ann": {"billing": 0, "europe": 6}, "bob": {"billing": 8}, "cleo": {}}
    assert terms.members() is terms.members()
    assert terms.serves("ann", {"german": 2}) == {"europe": 8}
    assert sorted(terms.skills("europe")) == ["french", "german"]
    assert terms.skills("gone") == ()
