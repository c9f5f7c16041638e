"""The port `Signalling` in memory: what the adapter promises, without messages.

What the room orders leaves when its unit is committed: `sent` has it in order, as (what, leg), `what` being a status
or a method. What peers do is told by the methods below `-- peers --`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from callcenter.calls import events as ev
from callcenter.calls.ports import Codec, MediaDescription, Target
from callcenter.kernel.unit import Unit

OFFER = MediaDescription("192.0.2.9", 30000, ((0, Codec.PCMU),), 101)


@dataclass(slots=True)
class FakeLeg:
    """What the gateway would know. `state`: early, up, or over."""

    id: str
    inbound: bool
    state: str = "early"
    open_invite: bool = True
    acknowledged: bool = True
    late_offer: bool = False
    provisional: bool = False
    cancel_wanted: bool = False
    bye_waits: bool = False


@dataclass(slots=True)
class FakeSignalling:
    """Passes the contract test of the port."""

    open_unit: Callable[[], Unit]
    deliver: Callable[[Unit, ev.SignallingInput], None]
    submit: Callable[[Unit], None]
    sent: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, MediaDescription] = field(default_factory=dict)
    offers: dict[str, MediaDescription] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    legs: dict[str, FakeLeg] = field(default_factory=dict)
    arrived: int = 0

    def _send(self, unit: Unit, what: str, leg: str) -> None:
        unit.after_commit(lambda: self.sent.append((what, leg)))

    # -- the port -------------------------------------------------------------------------------------------------

    def ring(self, unit: Unit, leg: str) -> None:
        found = self.legs.get(leg)
        if found is not None and found.inbound and found.state == "early":
            self._send(unit, "180", leg)

    def answer(self, unit: Unit, leg: str, local: MediaDescription) -> None:
        found = self.legs.get(leg)
        if (
            found is None
            or found.state == "over"
            or not found.open_invite
            or (not found.inbound and found.state != "up")
        ):
            return
        found.state, found.open_invite, found.acknowledged = "up", False, False
        self.answers[leg] = local
        self._send(unit, "200", leg)

    def reject(self, unit: Unit, leg: str, status: int, *, retry_after_s: int | None = None) -> None:
        found = self.legs.get(leg)
        if found is None or found.state == "over" or not found.open_invite:
            return
        found.open_invite = False
        if found.state == "early":
            found.state = "over"
        self._send(unit, str(status), leg)

    def invite(self, unit: Unit, leg: str, target: Target, local: MediaDescription) -> None:
        if leg in self.legs:
            return
        self.legs[leg] = FakeLeg(leg, inbound=False)
        self.targets[leg], self.offers[leg] = target, local
        self._send(unit, "INVITE", leg)

    def cancel(self, unit: Unit, leg: str) -> None:
        found = self.legs.get(leg)
        if found is None or found.inbound or found.cancel_wanted:
            return
        if found.state == "up":
            self.bye(unit, leg)
        elif found.state == "early":
            found.cancel_wanted = True
            if found.provisional:
                self._send(unit, "CANCEL", leg)

    def bye(self, unit: Unit, leg: str, cause: str = "") -> None:
        found = self.legs.get(leg)
        if found is None or found.state == "over":
            return
        if found.state == "early":
            self.reject(unit, leg, 480) if found.inbound else self.cancel(unit, leg)
            return
        found.state, self.causes[leg] = "over", cause
        if found.acknowledged:
            self._send(unit, "BYE", leg)
        else:
            found.bye_waits = True

    # -- peers ----------------------------------------------------------------------------------------------------

    def _tell(self, event: ev.SignallingInput) -> None:
        unit = self.open_unit()
        self.deliver(unit, event)
        self.submit(unit)

    def arrive(
        self, *, called: str = "100", caller: str = "0123456789", offer: MediaDescription | None = OFFER
    ) -> str:
        """A call comes in from the trunk `carrier`; returns its leg."""
        self.arrived += 1
        leg = f"in{self.arrived}"
        self.legs[leg] = FakeLeg(leg, inbound=True, late_offer=offer is None)
        self._tell(ev.InviteArrived(leg, "trunk", "carrier", called, caller, "", offer))
        return leg

    def acknowledge(self, leg: str, answer: MediaDescription | None = None) -> None:
        """The ACK to our 200."""
        found = self.legs[leg]
        if found.acknowledged:
            return
        found.acknowledged = True
        self._tell(ev.AckArrived(leg, answer if found.late_offer else None))
        if found.bye_waits:
            found.bye_waits = False
            self.sent.append(("BYE", leg))

    def caller_cancels(self, leg: str) -> None:
        """CANCEL; nothing if we were faster."""
        found = self.legs[leg]
        if found.state == "early" and found.open_invite:
            found.state, found.open_invite = "over", False
            self.sent.append(("487", leg))
            self._tell(ev.CancelArrived(leg))

    def hangs_up(self, leg: str) -> None:
        """BYE of the peer."""
        found = self.legs[leg]
        if found.state == "up":
            found.state = "over"
            self._tell(ev.ByeArrived(leg))

    def reinvites(self, leg: str, offer: MediaDescription | None) -> None:
        """The peer offers new media."""
        found = self.legs[leg]
        found.open_invite, found.late_offer = True, offer is None
        self._tell(ev.ReinviteArrived(leg, offer))

    def rings(self, leg: str, status: int = 180) -> None:
        """A provisional response to our INVITE."""
        found = self.legs[leg]
        if found.state != "early":
            return
        first, found.provisional = not found.provisional, True
        if found.cancel_wanted:
            if first:
                self.sent.append(("CANCEL", leg))
        else:
            self._tell(ev.Progressed(leg, status, None))

    def accepts(self, leg: str, answer: MediaDescription | None = OFFER) -> None:
        """200 to our INVITE; one that crosses our CANCEL is ended."""
        found = self.legs[leg]
        if found.state != "early":
            return
        found.open_invite = False
        if found.cancel_wanted:
            found.state = "over"
            self.sent.append(("BYE", leg))
            self._tell(ev.InviteRefused(leg, 487, "cancelled"))
        else:
            found.state = "up"
            self._tell(ev.InviteAccepted(leg, answer))

    def refuses(self, leg: str, status: int, reason: str = "refused") -> None:
        """A final answer >= 300 to our INVITE, or 408 timeout, or 503 transport."""
        found = self.legs[leg]
        if found.state == "early":
            found.state, found.open_invite = "over", False
            self._tell(ev.InviteRefused(leg, status, "cancelled" if found.cancel_wanted else reason))

    def loses(self, leg: str, reason: str = "no_ack") -> None:
        """The dialog is dead."""
        self.legs[leg].state = "over"
        self._tell(ev.DialogLost(leg, reason))
