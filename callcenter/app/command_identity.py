"""`callcenter user` and `callcenter phone`, with the telephones that phones.yaml has."""

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

from callcenter.app.endpoints import load_endpoints
from callcenter.identity import command as identity

if TYPE_CHECKING:
    from callcenter.app.command import Commands


def register(commands: "Commands") -> None:
    """Add both commands."""
    identity.register(commands, _phones)


def _phones(given: argparse.Namespace) -> Collection[str]:
    return [phone.user for phone in load_endpoints(given.config).phones]
