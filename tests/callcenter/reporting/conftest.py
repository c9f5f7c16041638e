"""A site with calls in it, as the projector would have written them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.kernel.journal import Journal, JournalReader
from callcenter.kernel.projector import Projector
from callcenter.kernel.site import Site
from callcenter.kernel.unit import Unit
from callcenter.reporting.projection import CdrHandler
from tests.callcenter.reporting.stories import Story


class CallHistory:
    """Stories go through a real journal and projector into `site`."""

    def __init__(self, site: Site, path: Path) -> None:
        self.site = site
        self.journal = Journal(path, call_soon=lambda callback: None, publish=lambda _: None)
        self.reader = JournalReader(path)
        self.handler = CdrHandler()
        self.projector = Projector(site, self.reader, [self.handler])

    def write(self, *stories: Story, **person: object) -> None:
        """Journal the stories' events, and `person` as the personal row of each."""
        for story in stories:
            for event in story.events:
                unit = Unit(event.at)
                unit.event(event.type, event.subject, **event.data)
                self.journal.submit(unit)
            unit = Unit(story.events[-1].at)
            unit.remember_person(story.contact, **person)
            self.journal.submit(unit)

    async def project(self) -> None:
        """Bring the site up to all that was written."""
        self.journal.close()
        while await self.projector.step():
            pass

    async def holds(self, *stories: Story, **person: object) -> None:
        self.write(*stories, **person)
        await self.project()

    def reopen(self, path: Path) -> None:
        self.journal = Journal(path, call_soon=lambda callback: None, publish=lambda _: None)


@pytest.fixture
def history(site: Site, tmp_path: Path) -> Iterator[CallHistory]:
    history = CallHistory(site, tmp_path / "live.db")
    yield history
    history.reader.close()
