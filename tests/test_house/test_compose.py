"""docker-compose.yml against the compose specification's own schema, and against our settings."""

import json
from importlib import resources
from typing import Any

import jsonschema
import yaml

from callcenter.app.settings import ENVIRONMENT
from tests.test_house.tree import REPOSITORY


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def schema() -> dict[str, Any]:
    """The schema as check-jsonschema ships it."""
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    loaded: dict[str, Any] = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return loaded


def problems(document: dict[str, Any]) -> list[str]:
    validator = jsonschema.validators.validator_for(schema())(schema())
    return [error.message for error in validator.iter_errors(document)]


def test_compose_file_fits_the_compose_schema() -> None:
    assert problems(compose()) == []


def test_schema_refuses_a_misspelt_key() -> None:
    broken = compose()
    broken["services"]["server"]["enviroment"] = {}
    assert problems(broken)


def test_every_setting_that_it_passes_exists() -> None:
    assert set(compose()["services"]["server"]["environment"]) <= set(ENVIRONMENT)


def test_server_is_given_longer_to_drain_than_a_drain_takes() -> None:
    assert compose()["services"]["server"]["stop_grace_period"] == "75s"


def test_databases_are_published_on_loopback_only() -> None:
    services = compose()["services"]
    ports = [port for name in ("postgres", "redis") for port in services[name]["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in ports)
