"""Settings as the rooms' commands see them, and a way to run such a command."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    zone: str = "Europe/Vienna"
    region: str = "AT"


@dataclass(frozen=True)
class Sip:
    realm: str | None = None


@dataclass(frozen=True)
class FakeSettings:
    """Enough of the settings: a SQLite site in `data_dir`."""

    data_dir: Path
    site: Place = field(default_factory=Place)
    sip: Sip = field(default_factory=Sip)

    @property
    def site_database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.data_dir / 'site.db'}"


def run_command(register: Callable[[Any], object], words: list[str], data_dir: Path) -> int:
    """Parse `words` with the command that `register` adds, and run its handler."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    given = parser.parse_args(words)
    given.settings = FakeSettings(data_dir)
    code: int = given.handler(given)
    return code
