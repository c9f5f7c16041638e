"""Call control: what an agent asks for in the call that he has."""

from typing import Literal

from callcenter.director.dial_out import DialOut
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.unit import Unit

MUSIC = "music"
RINGBACK = "ringback"
TRANSFER_RING_S = 30
OUTSIDE = "outside"
"""In events, for a number that is none of the site's: it is somebody's."""
TransferKind = Literal["phone", "queue", "number"]


class CallControl:
    """Hang up, hold, resume, transfer: each for the agent's own call."""

    def __init__(self, rooms: Rooms, around: Surroundings, steps: Steps, dial_out: DialOut) -> None:
        self._dial_out = dial_out
        self._rooms = rooms
        self._around = around
        self._steps = steps

    def call_of_agent(self, agent: str) -> ic.IncomingCall:
        """The call that `agent` is talking in. Raises NotFound."""
        state = self._rooms.acd.core.agents.get(agent)
        call = self._steps.processes.get(state.contact or "") if state is not None else None
        if call is None or state is None or state.state != "on_contact" or not call.bridge.joined:
            raise NotFound("the agent is in no call", data={"agent": agent})
        return call

    def hang_up(self, unit: Unit, agent: str) -> None:
        """End the call for both. Raises NotFound."""
        call = self.call_of_agent(agent)
        if call.other is not None:
            self._rooms.calls.hang_up(unit, call.other, "hangup")

    def hold(self, unit: Unit, agent: str) -> None:
        """Music for the caller until `resume`. Raises NotFound."""
        call = self.call_of_agent(agent)
        self._steps.step(unit, call.contact, msg.HoldWanted(self._sound(call.contact, MUSIC)))

    def resume(self, unit: Unit, agent: str) -> None:
        """Talk again. Raises NotFound."""
        self._steps.step(unit, self.call_of_agent(agent).contact, msg.ResumeWanted())

    def transfer(self, unit: Unit, agent: str, kind: TransferKind, target: str) -> None:
        """Hand the caller on and leave (blind transfer). Raises NotFound for no call, InvalidInput for no target."""
        call = self.call_of_agent(agent)
        contact, told = call.contact, target
        wanted: msg.Transfer
        match kind:
            case "phone":
                if self._around.target_for(target, call.caller, call.caller_name) is None:
                    raise InvalidInput("no such phone, or it cannot be reached", data={"field": "target"})
                wanted = self._to_phone(call, agent, target)
            case "queue":
                if not self._around.site.has_queue(target):
                    raise InvalidInput("no such queue", data={"field": "target"})
                care = self._around.site.queue_care(target, self._rooms.language_of(contact))
                wanted = msg.TransferToQueue(target, care.record, care.announcement, care.music)
            case "number":
                flow = self._around.site.flow_of_number(target)
                if flow is not None:
                    wanted = msg.TransferToFlow(flow)
                elif self._dial_out.knows(target):
                    wanted, told = self._to_phone(call, agent, target), OUTSIDE
                else:
                    raise InvalidInput("no such number", data={"field": "target"})
        unit.event("director.contact.transferred", contact, agent=agent, kind=kind, target=told)
        self._steps.step(unit, contact, wanted)

    def _to_phone(self, call: ic.IncomingCall, agent: str, target: str) -> msg.TransferToPhone:
        """With the way back for a caller whom nobody takes there."""
        contact, site = call.contact, self._around.site
        music: tuple[str, ...] = ()
        if call.queue is not None:
            music = site.queue_care(call.queue, self._rooms.language_of(contact)).music
        bridge = call.bridge
        phone = site.phone_of_agent(agent)
        back = msg.Back(agent, phone, call.queue, bridge.record, bridge.announcement, music)
        return msg.TransferToPhone(target, TRANSFER_RING_S, self._sound(contact, RINGBACK), back)

    def _sound(self, contact: str, prompt: str) -> tuple[str, ...]:
        return self._around.site.sound(prompt, self._rooms.language_of(contact))
