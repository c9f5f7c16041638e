"""Inputs of agents and of the contacts that they hold."""

from collections.abc import Callable
from datetime import datetime

from acd import commands
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.model import Capacity, Channel
from acd.state import State
from acd.steps import entries, offers

SignOut = commands.AgentSignedOut | commands.AgentForcedOut


def wish(state: State, input_: commands.AgentInput, now: datetime) -> None:
    if state.is_known(input_):
        state.move_agent(input_.agent, input_, now)


def take_sign_out(state: State, input_: SignOut, now: datetime) -> None:
    if state.is_known(input_):
        sign_out(state, input_.agent, input_, now)


def sign_out(state: State, id_: str, input_: SignOut, now: datetime) -> None:
    """He goes; an offer that rings for him is rescinded."""
    agent = state.move_agent(id_, input_, now)
    if agent.offer is not None:
        offers.end_offer(state, agent.offer, offer_machine.Rescind("signed_out"), "rescinded", now)


def change_skills(state: State, input_: commands.AgentSkillsChanged, now: datetime) -> None:
    """Everybody is looked at anew: somebody may have become the one whom a caller waited for."""
    if state.is_known(input_):
        state.move_agent(input_.agent, input_, now)
        state.know(state.policy)
        state.index()
        state.restaffed = True
        state.gone.append(input_.agent)


def start_contact(state: State, input_: commands.ContactStarted, now: datetime) -> None:
    if not state.is_known(input_):
        return
    if input_.channel != "voice":
        hold(state, input_, now)
        return
    before = state.agents.get(input_.agent)
    if input_.contact in state.entry_of:
        state.refuse(input_.agent, input_, "contact_waits")
        return
    state.move_agent(input_.agent, input_, now)
    if before is not None and before.offer is not None:
        offers.end_offer(state, before.offer, offer_machine.Rescind("on_contact"), "rescinded", now)


def hold(state: State, input_: commands.ContactStarted, now: datetime) -> None:
    """A contact of another channel is with him, if he may have one more."""
    capacity = capacity_of(state, input_.agent, input_.channel)
    if state.held.get(input_.contact, input_.agent) != input_.agent or input_.contact in state.entry_of:
        state.refuse(input_.agent, input_, "contact_is_owned")
        return
    taken = agent_machine.Hold(input_.contact, input_.channel, capacity.most, capacity.interruptible)
    agent = state.move_agent(input_.agent, taken, now)
    if any(each.contact == input_.contact for each in agent.held):
        state.held[input_.contact] = agent.id


def let_go(state: State, contact: str, now: datetime) -> None:
    """A contact of another channel is over."""
    id_ = state.held.pop(contact)
    channel = next(each.channel for each in state.agents[id_].held if each.contact == contact)
    state.move_agent(id_, agent_machine.LetGo(contact, capacity_of(state, id_, channel).most), now)


def capacity_of(state: State, agent: str, channel: Channel) -> Capacity:
    """How many contacts of `channel` this agent may have."""
    known = state.known.get(agent)
    found = () if known is None else known.capacity
    return next((each for each in found if each.channel == channel), Capacity(channel, 0))


def end_contact(state: State, input_: commands.ContactEnded, now: datetime) -> None:
    contact = input_.contact
    holders = state.holders.get(contact, {})
    if contact in state.held and input_.agent in (None, state.held[contact]):
        let_go(state, contact, now)
        return
    if input_.agent is not None:
        if input_.agent in holders:
            state.move_agent(input_.agent, agent_machine.Part(contact), now)
        else:
            state.refuse(contact, input_, "no_such_contact")
        return
    entry = state.entry_of.get(contact)
    if entry is None and not holders:
        state.refuse(contact, input_, "no_such_contact")
        return
    if entry is not None:
        entries.end_entry(state, entry, entry_machine.Abandoned(), "caller_left", now)
    part_all(state, contact, now)


def part_all(state: State, contact: str, now: datetime) -> None:
    """Nobody holds `contact` any more."""
    for id_ in sorted(state.holders.get(contact, ())):
        state.move_agent(id_, agent_machine.Part(contact), now)


def lapse(state: State, id_: str, now: datetime) -> None:
    state.move_agent(id_, agent_machine.Lapse(), now)


HANDLERS: dict[type, Callable[..., None]] = {
    commands.AgentSignedIn: wish,
    commands.AgentSignedOut: take_sign_out,
    commands.AgentForcedOut: take_sign_out,
    commands.AgentSkillsChanged: change_skills,
    commands.AgentWentAvailable: wish,
    commands.AgentWentNotReady: wish,
    commands.PresenceChanged: wish,
    commands.ContactStarted: start_contact,
    commands.ContactEnded: end_contact,
    commands.WrapUpFinished: wish,
    commands.WrapUpExtended: wish,
    commands.WrapUpAsked: wish,
    commands.DispositionChosen: wish,
}
