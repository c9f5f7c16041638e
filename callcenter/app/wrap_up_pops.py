"""The pops of calls that agents were wrapping up when the process before ended.

Those calls are over: no process and no offer is left that could show them again, so the record tells who it was.
Talks and offers that go on bring their pops themselves (`director.recovery`).
"""

from dataclasses import dataclass

from acd.machines.agent import Agent
from callcenter.app.customer_query import find_customer
from callcenter.app.live import LiveSide
from callcenter.director.ports import Pop, Screens
from callcenter.kernel.site import Site
from callcenter.reporting.service import calls_show


@dataclass(frozen=True, slots=True)
class Caller:
    """Who it was, and whom an agent said it was."""

    number: str
    name: str
    queue: str
    customer: str | None


async def show_wrap_ups(site: Site, live: LiveSide, screens: Screens, *, region: str) -> int:
    """Give each agent in wrap-up the pop of his contact; how many. To be called when the record is projected.

    Raises SiteUnavailable.
    """
    shown = 0
    for agent in [agent for agent in live.acd.core.agents.values() if agent.state == "wrap_up"]:
        pop = await _pop(site, live, agent, region=region)
        now = live.acd.core.agents.get(agent.id)
        if pop is not None and now is not None and (now.state, now.contact) == ("wrap_up", agent.contact):
            screens.pop(pop)
            shown += 1
    return shown


async def _pop(site: Site, live: LiveSide, agent: Agent, *, region: str) -> Pop | None:
    contact = agent.contact or ""
    caller = _living(live, contact) or await _recorded(site, contact)
    if caller is None:
        return None
    customer, matches, candidates = await find_customer(site, caller.number, caller.customer, region=region)
    # The offer is over too; nothing is asked of it any more, so its contact names the pop.
    return Pop(
        contact, contact, caller.queue, agent.id, caller.number, caller.name, customer, matches,
        live.clock.now(), candidates,
    )  # fmt: skip


def _living(live: LiveSide, contact: str) -> Caller | None:
    """Of a caller who was handed on."""
    call = live.director.processes.get(contact)
    return None if call is None else Caller(call.caller, call.caller_name, call.queue or "", call.customer)


async def _recorded(site: Site, contact: str) -> Caller | None:
    call = await calls_show(site, contact)
    if call is None:
        return None
    person, cdr = call.person, call.cdr
    return Caller(person.caller or "", person.caller_name or "", cdr.queue or "", cdr.customer)
