"""Voice messages: those that are being spoken, and those that wait for their ticket."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import ivr.commands as ivr_out
from callcenter.director.machines.voice_message import Ended, Filed, VoiceMessage
from callcenter.kernel.unit import Unit

VOICE_MESSAGE = "voice_message"


class VoiceMessages:
    """`customer_of` names a contact's customer as far as he is known; `left` is called when there is one to file."""

    def __init__(self, *, customer_of: Callable[[str], str | None]) -> None:
        self._customer_of = customer_of
        self._messages: dict[str, VoiceMessage] = {}
        self.left: Callable[[], None] = lambda: None

    def begin(self, unit: Unit, contact: str, recording: str, command: ivr_out.Record) -> None:
        """The caller speaks now; a recording of no category is the flow's own affair."""
        if command.category:
            message = VoiceMessage(recording, contact, command.category, command.priority, command.queue)
            self._keep(unit, message)

    def ended(self, unit: Unit, contact: str, duration_ms: int | None) -> None:
        """The recording of `contact` that goes on, if any, is over. Repeats are told apart by its state."""
        for message in [each for each in self._messages.values() if each.contact == contact]:
            if message.state == "recording":
                self._end(unit, message, duration_ms)

    def _end(self, unit: Unit, message: VoiceMessage, duration_ms: int | None) -> None:
        after = message.handle(Ended(duration_ms))
        if after.state == "over":
            self._drop(unit, after)
            return
        customer = self._customer_of(message.contact)
        self._keep(unit, replace(after, customer=customer))
        unit.event(
            "director.message.left",
            message.contact,
            recording=message.recording,
            duration_ms=duration_ms,
            category=message.category,
        )
        unit.after_commit(self._tell)

    def _tell(self) -> None:
        self.left()

    def waiting(self) -> tuple[VoiceMessage, ...]:
        """Those that have no ticket yet, oldest first."""
        found = (each for each in self._messages.values() if each.state == "left")
        return tuple(sorted(found, key=lambda message: message.recording))

    def filed(self, unit: Unit, recording: str) -> None:
        """There is a ticket of it."""
        message = self._messages.get(recording)
        if message is not None and message.handle(Filed()).state == "over":
            self._drop(unit, message)

    def _keep(self, unit: Unit, message: VoiceMessage) -> None:
        self._messages[message.recording] = message
        unit.save(VOICE_MESSAGE, message.recording, message)

    def _drop(self, unit: Unit, message: VoiceMessage) -> None:
        self._messages.pop(message.recording, None)
        unit.delete(VOICE_MESSAGE, message.recording)

    def restore(self, rows: Iterable[VoiceMessage]) -> None:
        """Take the rows of the process before."""
        self._messages.update((message.recording, message) for message in rows)

    def reconciled(self, unit: Unit, contacts: Collection[str]) -> None:
        """`contacts` are alive after a restart: whatever was being recorded for another one is all that there is."""
        for message in list(self._messages.values()):
            if message.contact not in contacts:
                self.ended(unit, message.contact, None)
