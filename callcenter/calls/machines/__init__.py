"""Pure machines of the room of calls."""
