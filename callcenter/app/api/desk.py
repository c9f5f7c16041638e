"""Agents, their states, and queues."""

from fastapi import FastAPI

from callcenter.app.api.access import Asker, allow
from callcenter.app.api.models import (
    AfterCall,
    AgentList,
    AgentOut,
    CallControl,
    Identifier,
    OfferAnswer,
    Options,
    QueueList,
    QueueOut,
    StateWish,
)
from callcenter.console.ports import CallWish, Desk, Principal, WrapUpWish
from callcenter.kernel.errors import PermissionDenied


def add_desk_routes(app: FastAPI, desk: Desk) -> None:
    """`/api/agents`, `/api/queues`."""

    @app.get("/api/agents", dependencies=allow("agents.read"), tags=["desk"])
    async def list_agents() -> AgentList:
        """All agents with their states."""
        return AgentList(agents=[AgentOut.model_validate(agent) for agent in desk.agents()])

    @app.post("/api/agents/me/state", dependencies=allow("desk.use"), tags=["desk"])
    async def set_own_state(wish: StateWish, asker: Asker) -> AgentOut:
        """Sign in to the queues, pause, or sign out of them. 409 when the present state forbids it."""
        return AgentOut.model_validate(await desk.set_state(_own(asker), wish.state, wish.reason, by=asker.user))

    @app.post("/api/agents/{agent}/state", dependencies=allow("agents.control"), tags=["desk"])
    async def set_state(agent: Identifier, wish: StateWish, asker: Asker) -> AgentOut:
        """The same for another agent."""
        return AgentOut.model_validate(await desk.set_state(agent, wish.state, wish.reason, by=asker.user))

    @app.post("/api/agents/me/call", dependencies=allow("desk.use"), status_code=204, tags=["desk"])
    async def control_call(wish: CallControl, asker: Asker) -> None:
        """Hang up, hold, resume or hand on the call that one is in. 404 without a call, 422 for no such target."""
        await desk.control_call(_own(asker), CallWish(wish.action, wish.kind, wish.target))

    @app.post("/api/agents/me/offer", dependencies=allow("desk.use"), status_code=204, tags=["desk"])
    async def answer_offer(wish: OfferAnswer, asker: Asker) -> None:
        """Accept (where the console delivers) or decline the call that is offered. 404 when it is over."""
        await desk.answer_offer(_own(asker), wish.offer, accept=wish.accept)

    @app.post("/api/agents/me/wrap-up", dependencies=allow("desk.use"), tags=["desk"])
    async def after_call(wish: AfterCall, asker: Asker) -> AgentOut:
        """Say how the contact ended, take more time, or be done with it. 409 when there is nothing to wrap up."""
        wanted = WrapUpWish(wish.finish, wish.extend_s, wish.disposition, wish.ask)
        return AgentOut.model_validate(await desk.after_call(_own(asker), wanted))

    @app.get("/api/desk/options", dependencies=allow("desk.use"), tags=["desk"])
    async def options(asker: Asker) -> Options:
        """The dispositions, and whom a call may be handed on to."""
        return Options.model_validate(desk.options(asker.agent))

    @app.get("/api/queues", dependencies=allow("queues.read"), tags=["desk"])
    async def list_queues() -> QueueList:
        """All queues with who waits."""
        return QueueList(queues=[QueueOut.model_validate(queue) for queue in desk.queues()])


def _own(asker: Principal) -> str:
    """The agent that the asking user is."""
    if asker.agent is None:
        raise PermissionDenied("This user takes no calls.")
    return asker.agent
