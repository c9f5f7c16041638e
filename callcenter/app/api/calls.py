"""Call detail records and their recordings.

A recording's file name comes from the record, never from the request, and what it names must still lie inside the
recordings folder after every link is followed.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.responses import FileResponse
from pydantic import AwareDatetime

from callcenter.app.api.access import allow
from callcenter.app.api.models import CallList, Identifier
from callcenter.console.ports import CallFilter, Calls
from callcenter.kernel.errors import NotFound


class RecordingMissing(NotFound):
    """The call has no recording, or its file is gone."""

    code = "recording_missing"


def recording_file(folder: Path, name: str) -> Path:
    """The file `name` inside `folder`; raises RecordingMissing for anything else, links that lead out included."""
    inside = folder.resolve()
    path = (inside / name).resolve()
    if not path.is_relative_to(inside) or not path.is_file():
        raise RecordingMissing("There is no recording of this call.")
    return path


def add_call_routes(app: FastAPI, calls: Calls, recordings: Path) -> None:
    """`/api/calls` and below."""

    @app.get("/api/calls", dependencies=allow("calls.read"), tags=["calls"])
    async def list_calls(  # noqa: PLR0917 (the parameters of a route are its query)
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str | None, Query(max_length=200)] = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        queue: Identifier | None = None,
        agent: Identifier | None = None,
        result: Identifier | None = None,
        caller: Annotated[str | None, Query(max_length=128)] = None,
        day: date | None = None,
    ) -> CallList:
        """Call detail records, newest first; `after` takes the `next` of the page before.

        `caller` is a whole number in any usual form, `day` one of the site's zone (instead of `since` and `until`).
        """
        page = await calls.list(CallFilter(limit, after, since, until, queue, agent, result, caller, day))
        return CallList(calls=[dict(call) for call in page.calls], next=page.next)

    @app.get("/api/calls/{contact}", dependencies=allow("calls.read"), tags=["calls"])
    async def show_call(contact: Identifier) -> dict[str, Any]:
        """The whole record of one contact."""
        call = await calls.show(contact)
        if call is None:
            raise NotFound("There is no such call.")
        return dict(call)

    @app.get(
        "/api/calls/{contact}/recording",
        dependencies=allow("calls.listen"),
        tags=["calls"],
        response_class=FileResponse,
        responses={200: {"content": {"audio/wav": {}}}, 206: {"content": {"audio/wav": {}}}},
    )
    async def recording(contact: Identifier, part: Annotated[int, Query(ge=1, le=1000)] = 1) -> FileResponse:
        """The stereo recording, customer left and agent right; `part` counts where there are several. Takes Range."""
        names = await calls.recordings(contact)
        if part > len(names):
            raise RecordingMissing("There is no such recording of this call.")
        return FileResponse(recording_file(recordings, names[part - 1]), media_type="audio/wav")
