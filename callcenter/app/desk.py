"""The desk: what agents and supervisors ask of the distributor over the API, and the presence that consoles and
phones report to it. Each wish is a unit of its own; the caller waits until it is on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import acd.commands as acd_in
import acd.events as acd_out
from acd.config import AgentConfig, Roster
from acd.service import AcdService
from callcenter.app.committing import committed
from callcenter.app.endpoints import Endpoints
from callcenter.console.ports import AgentView, AgentWish, CallWish, DeskOptions, QueueView, WrapUpWish
from callcenter.director.service import Director
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound
from callcenter.kernel.unit import Unit

NO_REASON = "break"


class ApplicationDesk:
    """Implements `console.ports.Desk` and `console.ports.Presence`."""

    def __init__(
        self,
        director: Director,
        acd: AcdService,
        roster: Callable[[], Roster],
        endpoints: Endpoints,
        *,
        open_unit: Callable[[], Unit],
        submit: Callable[[Unit], None],
    ) -> None:
        self._director = director
        self._acd = acd
        self._roster_now = roster
        self._endpoints = endpoints
        self._open_unit = open_unit
        self._submit = submit

    @property
    def _roster(self) -> Roster:
        """Of the version that holds."""
        return self._roster_now()

    async def set_state(self, agent: str, state: AgentWish, reason: str | None, *, by: str) -> AgentView:
        """Carry out the wish; NotFound for an unknown agent, Conflict where his present state forbids it."""
        config = self._roster.agent(agent)
        if config is None:
            raise NotFound("no such agent", data={"agent": agent})
        unit = self._open_unit()
        unit.event("console.state.requested", agent, state=state, by=by)
        refused = self._wish(unit, agent, state, reason)
        await committed(unit, self._submit)
        _refuse(refused, agent)
        return self._view(config)

    async def control_call(self, agent: str, wish: CallWish) -> None:
        """Do to the agent's own call what he wants; returns when the decision is on disk."""
        unit = self._open_unit()
        match wish.action:
            case "hang_up":
                self._director.control.hang_up(unit, agent)
            case "hold":
                self._director.control.hold(unit, agent)
            case "resume":
                self._director.control.resume(unit, agent)
            case "transfer":
                self._director.control.transfer(unit, agent, wish.kind, wish.target)
        await committed(unit, self._submit)

    async def answer_offer(self, agent: str, offer: str, *, accept: bool) -> None:
        """Accept or decline on the screen."""
        unit = self._open_unit()
        self._director.deliveries.answer(unit, agent, offer, accept=accept)
        await committed(unit, self._submit)

    async def after_call(self, agent: str, wish: WrapUpWish) -> AgentView:
        """The disposition first, so that a wrap-up that is finished with it has it."""
        config, state = self._roster.agent(agent), self._acd.core.agents.get(agent)
        if config is None or state is None:
            raise NotFound("no such agent", data={"agent": agent})
        if wish.disposition is not None and all(wish.disposition != each.code for each in self._roster.dispositions):
            raise InvalidInput("no such disposition", data={"field": "disposition"})
        unit = self._open_unit()
        inputs: list[acd_in.AgentInput] = []
        if wish.disposition is not None:
            inputs.append(acd_in.DispositionChosen(agent, state.contact or "", wish.disposition))
        if wish.ask:
            inputs.append(acd_in.WrapUpAsked(agent))
        if wish.extend_s:
            inputs.append(acd_in.WrapUpExtended(agent, wish.extend_s))
        if wish.finish:
            inputs.append(acd_in.WrapUpFinished(agent))
        told = [event for each in inputs for event in self._director.distribute(unit, each)]
        await committed(unit, self._submit)
        _refuse(next((event for event in told if isinstance(event, acd_out.InputRefused)), None), agent)
        return self._view(config)

    def options(self, agent: str | None) -> DeskOptions:
        """The choices of the forms on the desk."""
        config = None if agent is None else self._roster.agent(agent)
        own = None if config is None else config.phone
        return DeskOptions(
            dispositions={each.code: dict(each.names) for each in self._roster.dispositions},
            phones={phone.user: phone.name for phone in self._endpoints.phones if phone.user != own},
            queues=sorted(queue.name for queue in self._roster.queues),
            numbers=sorted(self._endpoints.dial),
            wrap_up_when_asked=() if config is None else self._roster.wraps_up_when_asked(config),
        )

    def agents(self) -> Sequence[AgentView]:
        """All agents by name, with what they do now."""
        return [self._view(config) for config in sorted(self._roster.agents, key=lambda each: each.name)]

    def queues(self) -> Sequence[QueueView]:
        """All queues by name, with who waits and who could be offered a caller."""
        now = self._open_unit().now
        return [self._queue(queue.name, now.timestamp()) for queue in sorted(self._roster.queues, key=_name)]

    def console_changed(self, agent: str, *, attached: bool) -> None:
        """An agent's first console came or the last one went."""
        unit = self._open_unit()
        self._director.distribute(unit, acd_in.PresenceChanged(agent, console=attached))
        self._submit(unit)

    def phone_changed(self, unit: Unit, user: str, reachable: bool) -> None:  # the gateway's callback
        """A phone registered, or cannot be reached any more."""
        agent = self._roster.agent_of_phone(user)
        if agent is not None:
            self._director.distribute(unit, acd_in.PresenceChanged(agent.id, phone=reachable))

    def _wish(self, unit: Unit, agent: str, state: AgentWish, reason: str | None) -> acd_out.InputRefused | None:
        told: list[acd_out.Event] = []
        here = self._acd.core.agents.get(agent)
        if state != "logged_out" and (here is None or here.state == "logged_out"):
            told += self._director.distribute(unit, acd_in.AgentSignedIn(agent))
        wishes: dict[str, acd_in.AgentInput] = {
            "available": acd_in.AgentWentAvailable(agent),
            "not_ready": acd_in.AgentWentNotReady(agent, reason or NO_REASON),
            "logged_out": acd_in.AgentSignedOut(agent),
        }
        told += self._director.distribute(unit, wishes[state])
        return next((event for event in told if isinstance(event, acd_out.InputRefused)), None)

    def _view(self, config: AgentConfig) -> AgentView:
        agent = self._acd.core.agents.get(config.id)
        skills = dict(config.skills)
        if agent is None:
            return AgentView(config.id, config.name, "logged_out", None, None, None, None, skills, False, False)
        return AgentView(
            config.id,
            config.name,
            agent.state,
            agent.reason,
            agent.contact,
            agent.since,
            agent.until,
            skills,
            agent.phone,
            agent.console,
        )

    def _queue(self, name: str, now: float) -> QueueView:
        core = self._acd.core
        entries = [entry for entry in core.entries.values() if entry.queue == name]
        waiting = [entry for entry in entries if not entry.is_callback]
        oldest = min((entry.enqueued_at.timestamp() for entry in waiting), default=None)
        free = core.free_for(name)
        longest = None if oldest is None else int((now - oldest) * 1000)
        view = QueueView(name, name, len(waiting), longest, free, callbacks=len(entries) - len(waiting))
        estimate = core.estimates.get(name)
        if estimate is None:
            return view
        # Whoever is to be called has his place before the next caller too.
        raw = estimate.raw(len(entries) + 1)
        settled = estimate.promises > 0
        return replace(
            view,
            expected_wait_ms=0 if free else None if raw is None else estimate.corrected(raw),
            promises=estimate.promises,
            promise_error_ms=estimate.error_ms if settled else None,
            promise_bias_ms=estimate.bias_ms if settled else None,
        )


def _refuse(refused: acd_out.InputRefused | None, agent: str) -> None:
    if refused is not None:
        raise Conflict("the agent's present state forbids this", data={"agent": agent, "reason": refused.reason})


def _name(named: object) -> str:
    return str(getattr(named, "name", ""))
