"""Why a call waited, over HTTP. The application hands in how a route declares its permission."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol

from fastapi import FastAPI, Path
from fastapi.params import Depends

Allow = Callable[[Literal["calls.read"]], list[Depends]]
"""Makes the `dependencies` of a route that asks for the permission."""

Contact = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$")]


class Decisions(Protocol):
    """`callcenter.app.decisions.DecisionStories`."""

    async def why(self, contact: str) -> Mapping[str, object]:
        """The story of a contact's waits and offers (`acd.why_text.document`). Raises NothingLogged."""
        ...


def add_why_routes(app: FastAPI, decisions: Decisions, allow: Allow) -> None:
    """`/api/calls/{contact}/why`."""

    @app.get("/api/calls/{contact}/why", dependencies=allow("calls.read"), tags=["calls"])
    async def why(contact: Contact) -> dict[str, Any]:
        """For each moment why the caller waited, and for each offer every agent's reason; from the log, replayed."""
        return dict(await decisions.why(contact))
