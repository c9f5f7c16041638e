"""`callcenter crm`: the command of the room, with the site's agents, of whom no other room knows."""

import argparse
from typing import TYPE_CHECKING

from acd.config import load as load_roster
from callcenter.app.policy_start import active_roster
from callcenter.crm import command

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    """Add the command."""
    command.register(commands, agents=_agents)


def _agents(given: argparse.Namespace) -> set[str]:
    """Those of the policy that holds, or would at the next start. Raises ConfigError."""
    roster = active_roster(given.config, given.settings.data_dir) or load_roster(given.config)
    return {agent.id for agent in roster.agents}
