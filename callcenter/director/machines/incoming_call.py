"""IncomingCall: one caller from the INVITE to the last hang-up.

    flow -> dialling -> talking -> flow ... -> ended
    flow -> queued   -> talking -> flow ... -> ended
    calling -> flow ... -> ended                              (whom we ring)
    calling -> queued -> talking -> ended                     (whom we call back)
    queued  -> leaving -> ended                               (sent away with a word)

Theory. The flow is in charge until it hands the caller over (dial, queue) and again when he comes back; this machine
keeps who has him and to whom the end must be told. The caller's end ends everything: the other leg, the place in the
queue, the flow. The other side's end gives the caller back to the flow, which usually hangs up; the CDR then names
who left first and not the flow. Nothing here rings an agent: that is OfferDelivery; nothing here mixes sound: that is
Bridge.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec.structs import replace

from acd.model import DEFAULT_PRIORITY
from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines.bridge import Bridge
from callcenter.director.machines.offer_delivery import SIGN_OF_LIFE
from callcenter.kernel.errors import IllegalTransition
from ivr.events import DialOutcome, QueueOutcome


class Phase(StrEnum):
    """Who has the caller."""

    CALLING = "calling"
    FLOW = "flow"
    DIALLING = "dialling"
    QUEUED = "queued"
    TALKING = "talking"
    LEAVING = "leaving"
    ENDED = "ended"


MOST_STAYS = 20
"""In queues, of one contact: rules that send callers round in circles come to an end."""


RETURN_RING_S = 30


class Stay(msgspec.Struct, frozen=True):
    """What the caller has in his queue, and keeps where he is sent on or called back: his time above all.

    `head_start_s` is what his flow gave him. `kept`: he left by a key and has it still if he comes back, because what
    he wanted could not be. `over`: he has been served.
    """

    queue: str
    skills: tuple[tuple[str, int], ...]
    priority: int
    since: datetime
    kept: bool = False
    over: bool = False
    head_start_s: int = 0


Step = tuple["IncomingCall", list[msg.CallEffect]]
_Sent = msg.ExitWanted | msg.SentToQueue | msg.SentToNumber | msg.SentToFlow | msg.Farewell

_QUEUE_OUTCOMES: dict[str, QueueOutcome] = {
    "answered": "answered",
    "timeout": "timeout",
    "full": "full",
    "no_agents": "no_agents",
    "cancelled": "cancelled",
}
_DIAL_OUTCOMES: dict[str, DialOutcome] = {
    "answered": "answered",
    "busy": "busy",
    "no_answer": "no_answer",
    "declined": "declined",
    "unreachable": "unreachable",
}


class IncomingCall(msgspec.Struct, frozen=True):
    """A contact's process; one state row. Personal fields leave with the row when the contact ends."""

    contact: str
    leg: str
    caller: str
    caller_name: str
    called: str
    phase: Phase = Phase.FLOW
    answered: bool = False
    command: str = ""
    flow_waits_for: Literal["dial", "queue", "nothing"] = "dial"
    bridge: Bridge = msgspec.field(default_factory=Bridge)
    other: str | None = None
    queue: str | None = None
    entries: int = 0
    ring_until: datetime | None = None
    sign_by: datetime | None = None
    left_by: str | None = None
    customer: str | None = None
    """The id of the customer whom an agent chose; it stands against whatever the number says."""
    flow: str = ""
    """Where the customer goes who is being called by us, once he answers; empty: into his queue."""
    stay: Stay | None = None
    """His last one, also when he has left."""
    comfort: tuple[str, ...] = ()
    announce: bool = True
    back: msg.Back | None = None
    """While a transfer rings: where he returns if it comes to nothing."""

    @property
    def entry(self) -> str:
        """The id of the latest place in a queue: each stay has its own."""
        return f"{self.contact}-q{self.entries}"

    @property
    def next_deadline(self) -> datetime | None:
        """When a dialled phone must have given a sign of life, or has rung long enough."""
        return min((at for at in (self.sign_by, self.ring_until) if at is not None), default=None)

    def handle(self, event: msg.CallInput, *, now: datetime) -> Step:
        """The call after `event` and what to do, in order."""
        if self.phase is Phase.ENDED:
            if isinstance(event, msg.OtherDialled):
                return self, [msg.DropOther(event.leg, "cancelled")]
            return self, []
        if self.phase is Phase.LEAVING and isinstance(event, msg.Told):
            return self._gone()
        match event:
            case msg.CallerEnded():
                return self._caller_ended(event)
            case msg.CallerAnswered():
                return self._caller_answered()
            case msg.HangupWanted():
                by = self.left_by or "system"
                reason = "hangup" if self.left_by else event.reason
                # Who was answered gets a BYE: the flow's status was never sent.
                status = None if self.answered else event.status
                return replace(self, phase=Phase.ENDED), [msg.EndContact(by, reason, status)]
            case msg.DialWanted():
                return self._dial(event, now)
            case msg.QueueWanted():
                return self._enqueue(event, now)
        return self._with_other(event, now)

    # -- the caller ------------------------------------------------------------------------------------------------

    def _caller_answered(self) -> Step:
        answered = replace(self, answered=True)
        if self.phase is Phase.CALLING and self.flow:
            return replace(answered, phase=Phase.FLOW, ring_until=None), [msg.StartFlow(self.flow)]
        if self.phase is Phase.CALLING:
            reached, sounds = replace(answered, phase=Phase.QUEUED, ring_until=None)._bridge(br.CallerUp())
            return reached, [*sounds, msg.CustomerReached()]
        if self.phase is Phase.FLOW:
            return answered, [msg.FlowMedia()]
        after, effects = answered._bridge(br.CallerUp())
        return after, [msg.FlowMedia(), *effects]

    def _caller_ended(self, event: msg.CallerEnded) -> Step:
        effects: list[msg.CallEffect] = []
        if self.phase is Phase.QUEUED:
            effects.append(msg.Abandon(self.entry))
        effects += self._missed(event.reason)
        if self.other is not None:
            effects.append(msg.DropOther(self.other, "cancelled" if self.phase is Phase.DIALLING else "hangup"))
        if self.phase is Phase.TALKING and self.queue is not None:
            effects.append(msg.TalkOver())
        by = self.left_by or ("caller" if event.by_peer else "system")
        by = "callee" if self.phase is Phase.CALLING and event.by_peer else by
        effects += [msg.FlowGone(), msg.EndContact(by, event.reason, event.status)]
        return replace(self, phase=Phase.ENDED, ring_until=None, sign_by=None), effects

    def _missed(self, reason: str) -> list[msg.CallEffect]:
        """Said once of one whom we wanted to call back; an agent who answered before him has talked to nobody."""
        if self.phase is not Phase.CALLING or self.queue is None:
            return []
        over: list[msg.CallEffect] = [] if self.other is None else [msg.TalkOver()]
        return [msg.CustomerMissed(reason), *over]

    def _gone(self) -> Step:
        """He waits no longer and has nowhere else to go."""
        return replace(self, phase=Phase.ENDED), [msg.FlowGone(), msg.EndContact("system", "flow", None)]

    # -- handing over ----------------------------------------------------------------------------------------------

    def _dial(self, wanted: msg.DialWanted, now: datetime) -> Step:
        if self.phase is not Phase.FLOW:
            raise IllegalTransition("IncomingCall", self.phase, wanted)
        dialling = replace(
            self,
            phase=Phase.DIALLING,
            command=wanted.command,
            flow_waits_for="dial",
            bridge=Bridge(wanted.record, wanted.announcement, wanted.ringback),
            other=None,
            queue=None,
            ring_until=now + timedelta(seconds=wanted.ring_s),
            left_by=None,
        )
        after, sounds = dialling._sound_if_answered()
        return after, [*sounds, msg.DialOther(wanted.endpoint)]

    def _enqueue(self, wanted: msg.QueueWanted, now: datetime) -> Step:
        if self.phase is not Phase.FLOW:
            raise IllegalTransition("IncomingCall", self.phase, wanted)
        back = self.stay is not None and self.stay.kept and self.stay.queue == wanted.queue
        since = self.stay.since if self.stay is not None and back else None
        queued = replace(
            self,
            phase=Phase.QUEUED,
            command=wanted.command,
            flow_waits_for="queue",
            bridge=Bridge(wanted.record, wanted.announcement, wanted.music),
            other=None,
            queue=wanted.queue,
            entries=self.entries + 1,
            left_by=None,
            stay=Stay(wanted.queue, wanted.skills, wanted.priority, since or now, head_start_s=wanted.head_start_s),
            comfort=wanted.comfort,
            announce=wanted.announce,
        )
        after, sounds = queued._sound_if_answered()
        entry = msg.Enqueue(
            queued.entry,
            wanted.queue,
            wanted.skills,
            wanted.priority,
            since,
            preferred=wanted.preferred,
            granted_s=wanted.head_start_s,
        )
        return after, [*sounds, entry]

    def _sound_if_answered(self) -> Step:
        return self._bridge(br.CallerUp()) if self.answered else (self, [])

    def _bridge(self, event: br.BridgeInput) -> Step:
        bridge, effects = self.bridge.handle(event)
        if bridge.joined:
            stay = None if self.stay is None else replace(self.stay, kept=False, over=True)
            return replace(self, bridge=bridge, phase=Phase.TALKING, stay=stay), list(effects)
        return replace(self, bridge=bridge), list(effects)

    # -- the other side --------------------------------------------------------------------------------------------

    def _with_other(self, event: msg.CallInput, now: datetime) -> Step:
        match event:
            case msg.OtherDialled():
                if self.phase is not Phase.DIALLING:
                    return self, [msg.DropOther(event.leg, "cancelled")]
                return replace(self, other=event.leg, sign_by=now + SIGN_OF_LIFE), []
            case msg.OtherTried():
                return replace(self, sign_by=None), []
            case msg.OtherRang():
                return replace(self, sign_by=None), [] if self.answered else [msg.RingCaller()]
            case msg.OtherAnswered() if self.phase is Phase.CALLING:
                # He joins whom we call when that one answers.
                return replace(self, other=event.leg, bridge=replace(self.bridge, other=event.leg)), []
            case msg.OtherAnswered():
                reached = replace(self, other=event.leg, ring_until=None, sign_by=None, back=None)
                return reached._bridge(br.OtherUp(event.leg))
            case msg.OtherEnded():
                return self._other_ended(event, now)
            case msg.QueueEnded() if self.phase is Phase.QUEUED:
                back = replace(self, phase=Phase.FLOW, queue=None)
                return back, [msg.SilenceCaller(), self._back_to_flow(event.outcome)]
            case msg.Tell() if self._may_be_told:
                return self, [br.Sound(br.MESSAGE, event.files, loop=False)]
            case msg.Told() if self._may_be_told:
                return self, list(self.bridge.sounds())
            case msg.ExitWanted() | msg.SentToQueue() | msg.SentToNumber() | msg.SentToFlow() | msg.Farewell() if (
                self.phase is Phase.QUEUED
            ):
                return self._sent_on(event, now)
            case msg.HoldWanted() if self.bridge.joined:
                return self, [msg.HoldCaller(event.music, event.by)]
            case msg.ResumeWanted() if self.bridge.joined:
                return self, [msg.ResumeCaller(event.by)]
            case msg.TransferToPhone() | msg.TransferToQueue() | msg.TransferToFlow() if self.bridge.joined:
                return self._transfer(event, now)
            case msg.Unannounced():
                return self._bridge(br.Unannounced())
            case msg.Announced():
                return self._bridge(br.Announced())
            case msg.Tick():
                return self._late(now)
        return self, []

    def _late(self, now: datetime) -> Step:
        if self.next_deadline is None or now < self.next_deadline:
            return self, []
        if self.phase is Phase.CALLING:
            missed = self._missed("no_answer")
            return replace(self, phase=Phase.ENDED), [*missed, msg.EndContact("system", "no_answer", None)]
        if self.other is None:
            return self, []
        reason = "no_answer" if self.sign_by is None or now < self.sign_by else "unreachable"
        return replace(self, ring_until=None, sign_by=None), [msg.DropOther(self.other, reason)]

    def _other_ended(self, event: msg.OtherEnded, now: datetime) -> Step:
        if event.leg != (self.other or ""):
            return self, []
        gone = replace(self, phase=Phase.FLOW, other=None, ring_until=None, sign_by=None)
        was_up = self.bridge.other is not None
        quiet: list[msg.CallEffect] = [msg.SilenceCaller()] if self.answered and not self.bridge.joined else []
        if self.phase is Phase.CALLING:
            return replace(self, phase=Phase.ENDED), [
                *self._missed("agent_left"),
                msg.EndContact("agent", "cancelled", None),
            ]
        if self.queue is not None and was_up:
            left = replace(gone, left_by="agent", queue=None)
            return left, [*quiet, msg.TalkOver(), left._back_to_flow("answered")]
        if self.phase not in {Phase.DIALLING, Phase.TALKING}:
            return self, []
        if self.back is not None and not was_up:
            after, effects = replace(gone, back=None)._returned(self.back, event.reason, now)
            return after, [*quiet, *effects]
        outcome: DialOutcome = "answered" if was_up else _DIAL_OUTCOMES.get(event.reason, "failed")
        return replace(gone, left_by="callee" if was_up else None), [*quiet, self._back_to_flow(outcome)]

    def _back_to_flow(self, outcome: DialOutcome | QueueOutcome) -> msg.FlowDial | msg.FlowQueue | msg.EndContact:
        """The flow is told in the words of what it asked for, wherever the caller has been since.

        Whom we called back came from no flow: his call is over.
        """
        if self.flow_waits_for == "nothing":
            return msg.EndContact(self.left_by or "system", "hangup" if self.left_by else "flow", None)
        if self.flow_waits_for == "dial":
            return msg.FlowDial(
                self.command, _DIAL_OUTCOMES.get(outcome, "answered" if outcome == "answered" else "failed")
            )
        return msg.FlowQueue(self.command, _QUEUE_OUTCOMES.get(outcome, "failed"))

    # -- sent on while he waits --------------------------------------------------------------------------------

    @property
    def _may_be_told(self) -> bool:
        return self.phase is Phase.QUEUED and self.bridge.takes_messages

    def _sent_on(self, event: _Sent, now: datetime) -> Step:
        left = replace(self, phase=Phase.FLOW, queue=None)
        match event:
            case msg.ExitWanted():
                left = replace(left, stay=None if self.stay is None else replace(self.stay, kept=True))
                return left, [msg.SilenceCaller(), msg.Withdraw(self.entry, event.key, event.for_callback)]
            case msg.SentToFlow():
                return replace(left, bridge=Bridge()), [msg.SilenceCaller(), msg.StartFlow(event.flow)]
            case msg.SentToQueue():
                return self._requeued(event, now)
            case msg.SentToNumber():
                bridge = Bridge(self.bridge.record, (), event.ringback)
                ring_until = now + timedelta(seconds=event.ring_s)
                ringing = replace(left, phase=Phase.DIALLING, bridge=bridge, other=None, ring_until=ring_until)
                after, sounds = ringing._bridge(br.CallerUp())
                return after, [*sounds, msg.DialOther(event.number)]
            case msg.Farewell() if event.files and self.answered:
                words = br.Sound(br.MESSAGE, event.files, loop=False)
                return replace(left, phase=Phase.LEAVING), [words]
        return left._gone()

    def _requeued(self, sent: msg.SentToQueue, now: datetime) -> Step:
        stay = self.stay or Stay(sent.queue, (), DEFAULT_PRIORITY, now)
        if self.entries >= MOST_STAYS:
            back = replace(self, phase=Phase.FLOW, queue=None)
            return back, [msg.SilenceCaller(), self._back_to_flow("timeout")]
        # What he has heard already is not announced to him again.
        heard = self.bridge.announced and self.bridge.announcement == sent.announcement
        queued = replace(
            self,
            bridge=Bridge(sent.record, sent.announcement, sent.music, announced=heard),
            queue=sent.queue,
            entries=self.entries + 1,
            stay=replace(stay, queue=sent.queue, skills=()),
        )
        after, sounds = queued._sound_if_answered()
        entry = msg.Enqueue(queued.entry, sent.queue, (), stay.priority, stay.since, granted_s=stay.head_start_s)
        return after, [*sounds, entry]

    # -- handed on by the agent --------------------------------------------------------------------------------

    def _transfer(self, wanted: msg.Transfer, now: datetime) -> Step:
        """The agent leaves at once; the caller hears the waiting sound of where he goes."""
        leaving: list[msg.CallEffect] = [] if self.other is None else [msg.DropOther(self.other, "transferred")]
        if self.queue is not None:
            leaving.append(msg.TalkOver())
        left = replace(self, other=None, queue=None, left_by=None, ring_until=None)
        match wanted:
            case msg.TransferToPhone():
                bridge = Bridge(self.bridge.record, (), wanted.ringback)
                ring_until = now + timedelta(seconds=wanted.ring_s)
                ringing = replace(left, phase=Phase.DIALLING, bridge=bridge, ring_until=ring_until, back=wanted.back)
                after, sounds = ringing._bridge(br.CallerUp())
                return after, [*leaving, *sounds, msg.DialOther(wanted.endpoint)]
            case msg.TransferToQueue():
                bridge = Bridge(wanted.record, wanted.announcement, wanted.music)
                entries = self.entries + 1
                stay = Stay(wanted.queue, (), DEFAULT_PRIORITY, now)
                queued = replace(
                    left, phase=Phase.QUEUED, bridge=bridge, queue=wanted.queue, entries=entries, stay=stay
                )
                after, sounds = queued._bridge(br.CallerUp())
                return after, [*leaving, *sounds, msg.Enqueue(queued.entry, wanted.queue, (), DEFAULT_PRIORITY)]
            case msg.TransferToFlow():
                return replace(left, phase=Phase.FLOW, bridge=Bridge()), [*leaving, msg.StartFlow(wanted.flow)]

    def _returned(self, back: msg.Back, reason: str, now: datetime) -> Step:
        """Nobody took him: he is no worse off than before, and the agent who sent him away has him first."""
        told = msg.Returned(reason, back.queue)
        if back.queue is not None and self.entries < MOST_STAYS:
            stay = self.stay or Stay(back.queue, (), DEFAULT_PRIORITY, now)
            bridge = Bridge(back.record, back.announcement, back.music, announced=True)
            queued = replace(
                self, phase=Phase.QUEUED, bridge=bridge, queue=back.queue, entries=self.entries + 1, stay=stay
            )
            ahead = int((now - stay.since).total_seconds())
            entry = msg.Enqueue(
                queued.entry,
                back.queue,
                stay.skills,
                stay.priority,
                head_start_s=ahead,
                preferred=back.agent,
                granted_s=stay.head_start_s,
            )
            after, sounds = queued._bridge(br.CallerUp())
            return after, [told, *sounds, entry]
        if back.queue is None and back.phone is not None:
            bridge = Bridge(back.record, (), self.bridge.waiting_sound)
            until = now + timedelta(seconds=RETURN_RING_S)
            ringing = replace(self, phase=Phase.DIALLING, bridge=bridge, ring_until=until)
            after, sounds = ringing._bridge(br.CallerUp())
            return after, [told, *sounds, msg.DialOther(back.phone)]
        return self, [self._back_to_flow("failed")]
