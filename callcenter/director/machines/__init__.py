"""Pure process machines over the rooms' events and commands."""
