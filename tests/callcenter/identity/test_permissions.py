"""What no table names is denied."""

from typing import get_args

import pytest

from callcenter.console.ports import Permission
from callcenter.identity.permissions import PERMISSIONS, Role, allows, permissions_of


def test_every_role_has_a_row() -> None:
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("role", ["", "root", "Administrator", "agent "])
def test_unknown_role_may_nothing(role: str) -> None:
    assert permissions_of(role) == frozenset()


def test_unknown_permission_is_denied_to_all() -> None:
    assert not any(allows(role, "everything") for role in Role)


@pytest.mark.parametrize("permission", ["calls.read", "calls.listen", "agents.control", "live.read", "config.read"])
def test_agent_may_not_what_supervisors_may(permission: str) -> None:
    assert not allows("agent", permission)
    assert allows("supervisor", permission)


def test_quality_listens_and_controls_nobody() -> None:
    assert allows("quality", "calls.listen")
    assert not allows("quality", "agents.control")


def test_administrator_may_all_that_a_route_can_ask_for() -> None:
    assert set(get_args(Permission)) <= permissions_of("administrator")
