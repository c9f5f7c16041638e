"""Supervisors' routes: who waits, and what to do with him; an agent's skills, and his way out."""

from datetime import datetime
from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field

from callcenter.app.api.access import Asker, allow
from callcenter.app.api.models import FromFields, Identifier, Payload
from callcenter.console.supervision_ports import Supervision

EntryId = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$")]
Level = Annotated[int, Field(ge=1, le=10)]


class Move(Payload):
    """The queue that takes him."""

    queue: str = Field(min_length=1, max_length=64)


class Priority(Payload):
    """1..99, 99 is served first; 50 is what nobody chose."""

    priority: int = Field(ge=1, le=99)


class Skills(Payload):
    """Levels by skill; null: those of the policy hold again."""

    skills: dict[Identifier, Level] | None = Field(max_length=200)


class EntryOut(FromFields):
    """One who waits."""

    id: str
    contact: str
    queue: str
    state: str
    priority: int
    since: datetime
    position: int | None
    expected_wait_ms: int | None
    callback: bool


class EntryList(BaseModel):
    """All who wait."""

    entries: list[EntryOut]


class CallbackOut(FromFields):
    """One who is to be called back; his number is not shown."""

    id: str
    contact: str
    queue: str
    state: str
    since: datetime
    tries: int
    retry_at: datetime | None


class CallbackList(BaseModel):
    """All who are to be called back."""

    callbacks: list[CallbackOut]


def add_supervision_routes(app: FastAPI, desk: Supervision) -> None:
    """`/api/entries`, `/api/callbacks`, and what supervisors do to agents."""

    @app.get("/api/entries", dependencies=allow("live.read"), tags=["supervision"])
    async def list_entries(queue: Identifier | None = None) -> EntryList:
        """Who waits, in the order of the queues and of the places in them."""
        return EntryList(entries=[EntryOut.model_validate(entry) for entry in desk.entries(queue)])

    @app.get("/api/callbacks", dependencies=allow("live.read"), tags=["supervision"])
    async def list_callbacks() -> CallbackList:
        """Who is to be called back. Cancel one by its entry, `CONTACT-q1`."""
        return CallbackList(callbacks=[CallbackOut.model_validate(callback) for callback in desk.callbacks()])

    @app.post(
        "/api/entries/{entry}/move", dependencies=allow("queues.control"), status_code=204, tags=["supervision"]
    )
    async def move(entry: EntryId, wish: Move, asker: Asker) -> None:
        """Send him to another queue with the time and the priority that he has. 404 when he waits no more."""
        await desk.move_entry(entry, wish.queue, by=asker.user)

    @app.post(
        "/api/entries/{entry}/priority", dependencies=allow("queues.control"), status_code=204, tags=["supervision"]
    )
    async def prioritise(entry: EntryId, wish: Priority, asker: Asker) -> None:
        """Give him another priority. 404 when he waits no more."""
        await desk.set_priority(entry, wish.priority, by=asker.user)

    @app.post(
        "/api/entries/{entry}/cancel", dependencies=allow("queues.control"), status_code=204, tags=["supervision"]
    )
    async def cancel(entry: EntryId, asker: Asker) -> None:
        """Take him out of the queue; his flow goes on. 404 when he waits no more."""
        await desk.cancel_entry(entry, by=asker.user)

    @app.post(
        "/api/agents/{agent}/skills", dependencies=allow("agents.control"), status_code=204, tags=["supervision"]
    )
    async def set_skills(agent: Identifier, wish: Skills, asker: Asker) -> None:
        """Change what he can do until it is changed back with null."""
        await desk.set_skills(agent, wish.skills, by=asker.user)

    @app.post(
        "/api/agents/{agent}/sign-out", dependencies=allow("agents.control"), status_code=204, tags=["supervision"]
    )
    async def force_out(agent: Identifier, asker: Asker) -> None:
        """Sign him out of the queues at once and end his sessions. A call that he has goes on."""
        await desk.force_out(agent, by=asker.user)
