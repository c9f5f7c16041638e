"""Flow orders: what a caller's flow asks for, passed on to the rooms that can do it."""

from collections.abc import Sequence

import ivr.commands as ivr_out
import ivr.events as ivr_in
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.director.sound_watch import SoundWatch
from callcenter.director.voice_messages import VoiceMessages
from callcenter.director.waiting import Waiting
from callcenter.kernel.unit import Unit

FLOW = "flow"


class FlowOrders:
    """Starts flows and obeys them."""

    def __init__(
        self,
        rooms: Rooms,
        around: Surroundings,
        steps: Steps,
        waiting: Waiting,
        *,
        voice_messages: VoiceMessages,
        sounds: SoundWatch,
    ) -> None:
        self._voice_messages = voice_messages
        self._sounds = sounds
        self._waiting = waiting
        self._rooms = rooms
        self._around = around
        self._steps = steps

    def start(self, unit: Unit, call: ic.IncomingCall, flow: str) -> None:
        """The flow that takes a new call."""
        started = self._rooms.flows.start(unit, call.contact, flow, caller=call.caller, called=call.called)
        self.obey(unit, call.contact, started)

    def change(self, unit: Unit, call: ic.IncomingCall, flow: str) -> None:
        """Leave the flow that the caller is in, for another one that finds him answered."""
        self._rooms.flows.handle(unit, call.contact, ivr_in.CallerGone())
        self.start(unit, call, flow)
        self._steps.flow(unit, call.contact, ivr_in.MediaUp())

    def obey(self, unit: Unit, contact: str, commands: Sequence[ivr_out.Command]) -> None:
        """Do what the contact's flow wants, until there is no caller any more."""
        for command in commands:
            call = self._steps.processes.get(contact)
            if call is None or call.phase is ic.Phase.ENDED:
                break
            self._obey_one(unit, call, command)
        self._around.set_alarm(FLOW, "", self._rooms.flows.next_deadline())

    def _obey_one(self, unit: Unit, call: ic.IncomingCall, command: ivr_out.Command) -> None:
        calls = self._rooms.calls
        match command:
            case ivr_out.Answer():
                calls.accept(unit, call.leg)
            case ivr_out.Play():
                calls.play(unit, call.leg, command.command, command.files)
                seconds = self._around.site.sound_s(command.files)
                self._sounds.begun(call.contact, command.command, seconds, now=unit.now)
            case ivr_out.StopPlaying():
                calls.stop(unit, call.leg)
                self._sounds.stopped(call.contact, now=unit.now)
            case ivr_out.Echo():
                calls.echo(unit, call.leg)
            case ivr_out.Record():
                path = calls.record(unit, call.leg, command.command, max_s=command.max_s)
                self._voice_messages.begin(unit, call.contact, path, command)
                self._sounds.begun(call.contact, command.command, command.max_s, now=unit.now, recording=True)
            case ivr_out.Dial():
                wanted = msg.DialWanted(
                    command.command,
                    command.target,
                    command.ring_s,
                    command.record,
                    command.announcement,
                    command.ringback,
                )
                self._steps.step(unit, call.contact, wanted)
            case ivr_out.EnterQueue():
                care = self._around.site.queue_care(command.queue, self._rooms.language_of(call.contact))
                queue = msg.QueueWanted(
                    command.command,
                    command.queue,
                    tuple(sorted(command.skills.items())),
                    command.priority,
                    care.record,
                    care.announcement,
                    command.music or care.music,
                    command.comfort,
                    command.announce,
                    command.head_start_s,
                    command.preferred or None,
                )
                self._steps.step(unit, call.contact, queue)
            case ivr_out.LeaveQueue():
                self._steps.step(unit, call.contact, msg.ExitWanted(command.key, command.for_callback))
            case ivr_out.AskCallback():
                self._waiting.ask_callback(unit, call, command)
            case ivr_out.Hangup():
                self._steps.step(unit, call.contact, msg.HangupWanted(command.reason, command.status))
