"""Who may do what: a role has the permissions of this table and no other (default deny)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a user is."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    QUALITY = "quality"
    ADMINISTRATOR = "administrator"


_AGENT = frozenset(
    {"desk.use", "agents.read", "queues.read", "customers.read", "customers.write", "tickets.read", "tickets.write"}
)
_QUALITY = frozenset({"calls.read", "calls.listen", "agents.read", "queues.read", "customers.read", "tickets.read"})
_SUPERVISOR = _QUALITY | {
    "agents.control",
    "queues.control",
    "live.read",
    "status.read",
    "config.read",
    "desk.use",
    "customers.write",
    "customers.import",
    "tickets.write",
}
_ADMINISTRATOR = _SUPERVISOR | {"api.read", "policy.manage", "users.manage"}

PERMISSIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        Role.AGENT: _AGENT,
        Role.QUALITY: _QUALITY,
        Role.SUPERVISOR: _SUPERVISOR,
        Role.ADMINISTRATOR: _ADMINISTRATOR,
    }
)


def permissions_of(role: str) -> frozenset[str]:
    """What `role` may; nothing for a role that is none."""
    return PERMISSIONS.get(role, frozenset())


def allows(role: str, permission: str) -> bool:
    """Whether `role` may do what `permission` names."""
    return permission in permissions_of(role)
