"""What pages call things: users, agents, dispositions, and the zone in which the site's days begin."""

from fastapi import FastAPI
from pydantic import BaseModel

from callcenter.app.api.access import allow
from callcenter.console.ports import Desk, Identity


class Names(BaseModel):
    """`users` and `agents` by id, `dispositions` by code and language; `zone` is the site's IANA zone."""

    zone: str
    users: dict[str, str]
    agents: dict[str, str]
    dispositions: dict[str, dict[str, str]]


def add_name_routes(app: FastAPI, identity: Identity, desk: Desk, zone: str) -> None:
    """`/api/names`."""

    @app.get("/api/names", dependencies=allow("agents.read"), tags=["service"])
    async def names() -> Names:
        """How to write what other answers name by id or code."""
        agents = {agent.id: agent.name for agent in desk.agents()}
        dispositions = {code: dict(called) for code, called in desk.options(None).dispositions.items()}
        return Names(zone=zone, users=dict(await identity.names()), agents=agents, dispositions=dispositions)
