"""What the site promises, as it is written down, and every way to write it down wrong."""

from pathlib import Path
from typing import Any

import pytest

from callcenter.calendars import load_calendars
from callcenter.kernel.errors import ConfigError
from tests.test_house.tree import REPOSITORY
from tests.tickets.lives import office
from tickets.config import TicketRules, load, parse

CALENDARS = {"office": office()}


def document(**clock: Any) -> dict[str, Any]:
    resolution = {"targets": {"normal": 60}, "pausing": ["pending"], "escalation": {"offset": 0}} | clock
    return {"policies": [{"name": "standard", "calendar": "office", "resolution": resolution}], "default": "standard"}


def test_the_sample_sites_promises_are_read() -> None:
    config = REPOSITORY / "config"
    rules = load(config, load_calendars(config / "calendars"))
    standard = rules.policies["standard"]
    assert standard.clocks["first_response"].targets["normal"] == 240
    assert standard.clocks["resolution"].pausing == ("pending", "on_hold")
    assert [step.raise_to for step in standard.clocks["resolution"].steps] == ["high"]
    assert rules.book().keys() == {rules.terms_for(None), rules.terms_for("complaint")}


def test_a_category_may_have_a_policy_of_its_own() -> None:
    both = document()
    both["policies"].append({"name": "complaint", "calendar": "office", "resolution": {"targets": {"normal": 5}}})
    both["categories"] = {"complaint": "complaint"}
    rules = parse(both, CALENDARS)
    names = [terms.policy if (terms := rules.terms_for(category)) else None for category in ("complaint", "x", None)]
    assert names == ["complaint", "standard", "standard"]


def test_a_site_without_the_file_promises_nothing(tmp_path: Path) -> None:
    rules = load(tmp_path, CALENDARS)
    assert (rules, rules.terms_for("complaint"), rules.book()) == (TicketRules(), None, {})


def test_another_edition_of_a_policy_has_another_version() -> None:
    one, two = (parse(document(targets={"normal": minutes}), CALENDARS).terms_for(None) for minutes in (60, 61))
    assert one is not None
    assert two is not None
    assert (one.policy, one.calendar_version) == (two.policy, two.calendar_version)
    assert one.policy_version != two.policy_version


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (document(targets={"normal": 0}), "policies[0].resolution.targets.normal: must be a whole number"),
        (document(targets={"normal": True}), "policies[0].resolution.targets.normal: must be a whole number"),
        (document(targets={}), "policies[0].resolution.targets: needs the minutes"),
        (document(targets={"soon": 5}), "policies[0].resolution.targets.soon: is not known"),
        (document(pausing=["resolved"]), "policies[0].resolution.pausing: must be a list of new, open"),
        (document(pausing="pending"), "policies[0].resolution.pausing: must be a list of new, open"),
        (document(escalation={"offset": -60}), "policies[0].resolution.escalation.offset: is before"),
        (document(escalation={"raise_to": "top"}), "policies[0].resolution.escalation.raise_to: must be one of"),
        (document(escalation={"raise_to": "high"}), "policies[0].resolution.escalation.raise_to: high tickets would"),
        (document(escalation=[]), "policies[0].resolution.escalation: must be a mapping"),
        (document(speed=5), "policies[0].resolution.speed: is not known"),
        (document() | {"default": "gold"}, "default: must be one of standard"),
        (document() | {"categories": {"complaint": "gold"}}, "categories.complaint: must be one of standard"),
        (document() | {"policies": {}}, "policies: must be a list"),
        (document() | {"rules": 1}, "rules: is not known"),
        ({"policies": [{"name": "x", "calendar": "moon"}]}, "policies[0].calendar: must be one of office"),
        ({"policies": [{"calendar": "office"}]}, "policies[0].name: is missing"),
        ({"policies": [{"name": 7, "calendar": "office"}]}, "policies[0].name: must be a text"),
        ({"policies": document()["policies"] * 2}, "policies[1].name: 'standard' is there twice"),
        ([], "must be a mapping"),
    ],
)
def test_a_mistake_is_named_by_its_key(wrong: object, key: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(wrong, CALENDARS)
    assert f"tickets.yaml: {key}" in str(error.value) or str(error.value) == "tickets.yaml: must be a mapping"


def test_every_mistake_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        parse(document(targets={"normal": 0}, pausing=["x"]) | {"default": "gold"}, CALENDARS)
    assert len(error.value.data["errors"]) == 4  # type: ignore[arg-type]  # a list, in this error's data


@pytest.mark.parametrize(("content", "message"), [(b"policies: [", "is not YAML in line"), (b"\xff", "UTF-8")])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "tickets.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, CALENDARS)
