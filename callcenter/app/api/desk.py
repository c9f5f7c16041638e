"""Agents, their states, and queues."""

from fastapi import FastAPI

from callcenter.app.api.access import Asker, allow
from callcenter.app.api.models import AgentList, AgentOut, Identifier, QueueList, QueueOut, StateWish
from callcenter.console.ports import Desk
from callcenter.kernel.errors import PermissionDenied


def add_desk_routes(app: FastAPI, desk: Desk) -> None:
    """`/api/agents`, `/api/queues`."""

    @app.get("/api/agents", dependencies=allow("agents.read"), tags=["desk"])
    async def list_agents() -> AgentList:
        """All agents with their states."""
        return AgentList(agents=[AgentOut.of(agent) for agent in desk.agents()])

    @app.post("/api/agents/me/state", dependencies=allow("desk.use"), tags=["desk"])
    async def set_own_state(wish: StateWish, asker: Asker) -> AgentOut:
        """Sign in to the queues, pause, or sign out of them. 409 when the present state forbids it."""
        if asker.agent is None:
            raise PermissionDenied("This user takes no calls.")
        return AgentOut.of(await desk.set_state(asker.agent, wish.state, wish.reason, by=asker.user))

    @app.post("/api/agents/{agent}/state", dependencies=allow("agents.control"), tags=["desk"])
    async def set_state(agent: Identifier, wish: StateWish, asker: Asker) -> AgentOut:
        """The same for another agent."""
        return AgentOut.of(await desk.set_state(agent, wish.state, wish.reason, by=asker.user))

    @app.get("/api/queues", dependencies=allow("queues.read"), tags=["desk"])
    async def list_queues() -> QueueList:
        """All queues with who waits."""
        return QueueList(queues=[QueueOut.of(queue) for queue in desk.queues()])
