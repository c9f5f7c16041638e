"""SoundWatch: what plays or records for a caller and ends by itself, and when its end must have been told.

Flows and bridges wait for a worker's word that a prompt or message is over. Should that word be lost, the caller
would wait in silence until he gave up: some seconds after its length a sound counts as one that could not be had.
Kept in memory: a restart asks the workers what is going on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.director.ports import SetAlarm

SOUND = "sound"
GRACE_S = 10
UNKNOWN_S = 300


@dataclass(frozen=True, slots=True)
class Awaited:
    """The command whose end is waited for, until `due`."""

    command: str
    due: datetime
    recording: bool


class SoundWatch:
    """One sound for each contact: the worker, too, plays one at a time to a caller."""

    def __init__(self, set_alarm: SetAlarm) -> None:
        self._set_alarm = set_alarm
        self._awaited: dict[str, Awaited] = {}

    def begun(self, contact: str, command: str, seconds: float, *, now: datetime, recording: bool = False) -> None:
        """`command` takes so long; it replaces whatever was waited for."""
        due = now + timedelta(seconds=seconds + GRACE_S)
        self._awaited[contact] = Awaited(command, due, recording)
        self._set_alarm(SOUND, contact, due)

    def stopped(self, contact: str, *, now: datetime) -> None:
        """It was told to stop: nobody waits for a prompt any more, but a recording still says how long it is."""
        awaited = self._awaited.get(contact)
        if awaited is not None and awaited.recording:
            self.begun(contact, awaited.command, 0, now=now, recording=True)
        else:
            self.over(contact)

    def over(self, contact: str, command: str | None = None) -> None:
        """Its end was told, or something else has taken its place (None: whatever it was)."""
        awaited = self._awaited.get(contact)
        if awaited is not None and command in (None, awaited.command):
            del self._awaited[contact]
            self._set_alarm(SOUND, contact, None)

    def lost(self, contact: str, *, now: datetime) -> str | None:
        """The command whose end should have been told by now; it is not waited for any longer."""
        awaited = self._awaited.get(contact)
        if awaited is None or awaited.due > now:
            return None
        self.over(contact)
        return awaited.command
