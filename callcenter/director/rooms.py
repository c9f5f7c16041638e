"""What stands around the director: the three rooms, the rest of the application, and its own parts' view of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import acd.commands as acd_in
import acd.events as acd_out
import ivr.events as ivr_in
from acd.service import AcdService
from callcenter.calls.service import CallService
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.ports import LookUp, Screens, SetAlarm, Site, TargetFor, TrunkUp
from callcenter.kernel.unit import Unit
from ivr.service import FlowService


@dataclass(frozen=True, slots=True)
class Rooms:
    """The three rooms between which the director stands."""

    calls: CallService
    flows: FlowService
    acd: AcdService

    def language_of(self, contact: str) -> str:
        """What the contact's flow speaks; empty where no flow has it."""
        run = self.flows.run_of(contact)
        return run.language if run else ""


def _answers(trunk: str) -> bool:  # noqa: ARG001  # where nobody asks the trunks
    return True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What it needs beside them."""

    site: Site
    screens: Screens
    target_for: TargetFor
    look_up: LookUp
    set_alarm: SetAlarm
    trunk_up: TrunkUp = _answers


class Steps(Protocol):
    """How the director's parts make the others step. All of it inside the caller's unit."""

    @property
    def processes(self) -> dict[str, ic.IncomingCall]:
        """The calls that are not over, by contact."""
        ...

    def step(self, unit: Unit, contact: str, event: msg.CallInput) -> None:
        """One input for the contact's process."""
        ...

    def keep(self, unit: Unit, call: ic.IncomingCall) -> None:
        """The contact's process is now this."""
        ...

    def flow(self, unit: Unit, contact: str, event: ivr_in.Input) -> None:
        """One input for the contact's flow."""
        ...

    def distribute(self, unit: Unit, command: acd_in.Input) -> Sequence[acd_out.Event]:
        """One input for the distributor; its events, already acted on."""
        ...
