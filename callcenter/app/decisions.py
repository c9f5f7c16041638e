"""Explains calls out of the log of decisions, beside the calls: in a thread, one at a time."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from acd.reading import story_in
from acd.why_text import document


class DecisionStories:
    """Implements `acd.why_routes.Decisions` over the folder `data`."""

    def __init__(self, data: Path) -> None:
        self._data = data
        # A replay takes a processor for a while; the calls need the rest.
        self._turn = asyncio.Lock()

    async def why(self, contact: str) -> Mapping[str, object]:
        """The story of `contact`. Raises NothingLogged."""
        async with self._turn:
            return await asyncio.to_thread(lambda: document(story_in(self._data, contact)))
