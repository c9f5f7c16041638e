"""The room of calls at work: runs the legs' machines inside units and keeps their contacts' rows.

What comes from the ports goes in by `signalled` and `heard`; what the director wants, by the commands below; what the
director must know goes out through `notify`, in the same unit.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from msgspec.structs import replace

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls import notices
from callcenter.calls.commands import Accept, Dial, HangUp, Ring
from callcenter.calls.machines.leg import LegInput, LegMachine
from callcenter.calls.model import Bridge, Contact, Direction, EndedBy, Leg, LegState, Role, SessionState
from callcenter.calls.ports import Media, Signalling, Target
from callcenter.kernel.errors import NotFound
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.unit import Unit

CLOSE_GRACE = timedelta(seconds=5)
STATE = "contact"
HOLD = "hold"
DESK = ""
_STATS = tuple(field.name for field in fields(ev.MediaStats))

Notify = Callable[[Unit, notices.Notice], None]
SetAlarm = Callable[[str, datetime | None], None]


class CallService:
    """Contacts and legs of this process. One thread: the loop's."""

    def __init__(
        self, signalling: Signalling, media: Media, *, notify: Notify, set_alarm: SetAlarm, ids: IdSource = new_id
    ) -> None:
        """`set_alarm(contact, at)` has `tick` called for the contact at that time; None forgets it."""
        self._signalling = signalling
        self._media = media
        self._notify = notify
        self._set_alarm = set_alarm
        self._ids = ids
        self._contacts: dict[str, Contact] = {}
        self._owner: dict[str, str] = {}

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def contacts(self) -> dict[str, Contact]:
        """The contacts that are not over, by id."""
        return self._contacts

    def contact(self, contact_id: str) -> Contact:
        """That contact, or NotFound."""
        try:
            return self._contacts[contact_id]
        except KeyError:
            raise NotFound("no such contact", data={"contact": contact_id}) from None

    # -- what the ports tell ---------------------------------------------------------------------------------------

    def signalled(self, unit: Unit, event: ev.SignallingInput) -> None:
        """An input from the gateway."""
        if isinstance(event, ev.InviteArrived):
            self._receive(unit, event)
        else:
            self._step(unit, event.leg, event)

    def heard(self, unit: Unit, event: ev.MediaInput) -> None:
        """An input from a media worker."""
        contact = self._contacts.get(self._owner.get(event.session, ""))
        if contact is None:
            if isinstance(event, ev.SessionOpened):
                self._media.close(unit, event.session)
            return
        match event:
            case ev.Played():
                self._notify(unit, notices.LegPlayed(contact.id, event.session, event.command))
            case ev.Recorded():
                self._recording_ended(unit, contact, _recording(contact, contact.recordings), event.duration_ms)
                self._notify(unit, notices.LegRecorded(contact.id, event.session, event.command, event.duration_ms))
            case ev.CommandRefused():
                self._notify(unit, notices.LegRefused(contact.id, event.session, event.command, event.reason))
            case ev.RecordingFailed():
                path = contact.bridge.recording if contact.bridge else _recording(contact, contact.recordings)
                unit.event("calls.recording.failed", contact.id, recording=path, reason=event.reason)
            case ev.SessionLost():
                # Its worker has died, and with it all that the contact had there. The caller's leg, which is the
                # first, is told first: nobody is to think that the other one hung up.
                for leg in contact.legs:
                    if leg.worker == event.worker or leg.id == event.session:
                        self._step(unit, leg.id, ev.SessionLost(leg.id, event.worker))
            case _:
                self._step(unit, event.session, event)

    def tick(self, unit: Unit, contact_id: str) -> None:
        """The contact's deadline: a session that was not given back in time counts as lost with its worker."""
        contact = self._contacts.get(contact_id)
        if contact is None or contact.close_by is None or unit.now < contact.close_by:
            return
        for leg in contact.legs:
            if not leg.is_live and leg.holds_session:
                self._step(unit, leg.id, ev.SessionLost(leg.id, leg.worker or ""))

    # -- what the director wants -----------------------------------------------------------------------------------

    def ring(self, unit: Unit, leg: str) -> None:
        """180 to the caller."""
        self._step(unit, leg, Ring())

    def accept(self, unit: Unit, leg: str, *, near: str | None = None) -> None:
        """Answer the caller; LegAnswered follows."""
        self._step(unit, leg, Accept(near))

    def hang_up(self, unit: Unit, leg: str, reason: str, *, status: int = 480) -> None:
        """End one leg: refuse (with `status`), cancel or BYE."""
        self._step(unit, leg, HangUp(reason, status))

    def dial(
        self, unit: Unit, contact_id: str, role: Role, endpoint: str, target: Target, *, near: str | None
    ) -> str:
        """Start an outbound leg; returns its id at once, the INVITE follows its session."""
        contact = self.contact(contact_id)
        leg = Leg(self._ids(), contact_id, Direction.OUTBOUND, role, endpoint)
        self._keep(unit, contact.with_leg(leg))
        unit.event("calls.leg.invited", contact_id, leg=leg.id, role=role.value, endpoint=endpoint)
        self._step(unit, leg.id, Dial(target, near))
        return leg.id

    def new_contact_id(self) -> str:
        """For `call_out`."""
        return self._ids()

    def call_out(self, unit: Unit, contact_id: str, source: str, target: Target, *, number: str) -> str:
        """Begin a contact from our side: its customer `number` is rung by the trunk `source`. The leg's id."""
        leg = Leg(self._ids(), contact_id, Direction.OUTBOUND, Role.CUSTOMER, source)
        self._keep(unit, Contact(contact_id, "trunk", source, unit.now, (leg,)))
        unit.remember_person(contact_id, caller=number, caller_name="", called=target.from_user)
        unit.event(
            "calls.contact.received",
            contact_id,
            leg=leg.id,
            source_kind="trunk",
            source=source,
            direction="outbound",
        )
        self._step(unit, leg.id, Dial(target, None))
        return leg.id

    def play(self, unit: Unit, leg: str, command: str, prompts: Sequence[str], *, loop: bool = False) -> None:
        """Play files to a leg; LegPlayed(command) follows unless it loops or something replaces it."""
        self._media.play(unit, leg, command, prompts, loop=loop)

    def stop(self, unit: Unit, leg: str) -> None:
        """Stop what plays, echoes or records on a leg."""
        self._media.stop(unit, leg)

    def echo(self, unit: Unit, leg: str) -> None:
        """Send the caller his own sound."""
        self._media.echo(unit, leg)

    def record(self, unit: Unit, leg: str, command: str, *, max_s: float) -> str:
        """Record a message; LegRecorded follows. Returns the file's path inside the recordings folder."""
        contact = self.contact(self._owner[leg])
        path = _recording(contact, contact.recordings + 1)
        self._keep(unit, replace(contact, recordings=contact.recordings + 1))
        unit.event("calls.recording.started", contact.id, recording=path)
        self._media.record(unit, leg, command, path, max_s=max_s)
        return path

    def bridge(self, unit: Unit, contact_id: str, customer: str, agent: str, *, record: bool) -> None:
        """Join two answered legs, recording them where asked."""
        contact = self.contact(contact_id)
        path = _recording(contact, contact.recordings + 1) if record else None
        joined = replace(contact, bridge=Bridge(customer, agent, path), recordings=contact.recordings + bool(record))
        self._keep(unit, joined)
        unit.event("calls.bridge.joined", contact_id, customer=customer, agent=agent, recording=path)
        if path is not None:
            unit.event("calls.recording.started", contact_id, recording=path)
        self._media.bridge(unit, customer, agent, recording=path)

    def hold(self, unit: Unit, contact_id: str, prompts: Sequence[str], *, by: str = DESK) -> None:
        """The customer hears `prompts`, looped, neither hears the other; the recording goes on in silence.

        `by` is the desk, or the leg whose phone wants it; where that is the customer's, the other one hears them.
        """
        contact = self.contact(contact_id)
        bridge = contact.bridge
        if bridge is None or by in bridge.holders:
            return
        holders = (*bridge.holders, by)
        if bridge.held:
            self._keep(unit, replace(contact, bridge=replace(bridge, holders=holders)))
            return
        listener = bridge.agent if by == bridge.customer else bridge.customer
        held = replace(bridge, held=True, holders=holders, listener=listener)
        self._keep(unit, replace(contact, bridge=held))
        who = {bridge.customer: "customer", DESK: "desk"}.get(by, "agent")
        unit.event("calls.bridge.held", contact_id, customer=bridge.customer, agent=bridge.agent, by=who)
        self._media.hold(unit, listener, HOLD, prompts)

    def resume(self, unit: Unit, contact_id: str, *, by: str = DESK) -> None:
        """They hear each other again, once nobody wants it otherwise."""
        contact = self.contact(contact_id)
        bridge = contact.bridge
        if bridge is None or not bridge.held:
            return
        holders = tuple(each for each in bridge.holders if each != by)
        if holders:
            self._keep(unit, replace(contact, bridge=replace(bridge, holders=holders)))
        else:
            self._keep(unit, replace(contact, bridge=replace(bridge, held=False, holders=(), listener="")))
            unit.event("calls.bridge.resumed", contact_id, customer=bridge.customer, agent=bridge.agent)
            self._media.bridge(unit, bridge.customer, bridge.agent, recording=bridge.recording)

    def end(self, unit: Unit, contact_id: str, by: str, reason: str, *, status: int | None = None) -> None:
        """End the whole contact: every leg still live is ended with `reason`. The first ending given is kept."""
        contact = self._contacts.get(contact_id)
        if contact is None:
            return
        if contact.ended_by is None:
            contact = replace(contact, ended_by=by, reason=reason, status=status)
            self._keep(unit, contact)
        for leg in contact.live_legs:
            self._step(unit, leg.id, HangUp(reason, status or 480))
        self._close_if_over(unit, contact_id)

    # -- after a restart -------------------------------------------------------------------------------------------

    def restore(self, contacts: Iterable[Contact]) -> None:
        """Take the rows of the process before; nothing is sent."""
        for contact in contacts:
            self._contacts[contact.id] = contact
            self._set_alarm(contact.id, contact.close_by)
            self._owner.update((leg.id, contact.id) for leg in contact.legs)

    def reconcile(
        self, unit: Unit, contact_id: str, sessions: Mapping[str, ev.SessionOpened], dialogs: Container[str]
    ) -> None:
        """Bring the legs in line with what the workers and the gateway still have (docs/architecture.md).

        `sessions` by leg as the workers report them, `dialogs` the legs whose dialog the gateway knows. What was
        committed but perhaps never sent is sent again; a worker applies the same state once.
        """
        for leg_id in [leg.id for leg in self.contact(contact_id).legs]:
            contact = self._contacts.get(contact_id)
            if contact is None:
                return  # the last of it is gone
            # As the legs before have left it: the caller's end is the end of all.
            self._reconcile_leg(unit, contact.leg(leg_id), sessions.get(leg_id), has_dialog=leg_id in dialogs)

    def _reconcile_leg(self, unit: Unit, leg: Leg, there: ev.SessionOpened | None, *, has_dialog: bool) -> None:
        match leg.session:
            case SessionState.OPENING if there is not None:
                self._step(unit, leg.id, there)
            case SessionState.OPENING if leg.is_live:
                self._media.open(unit, leg.id, remote=leg.offer, near=leg.near)
            case SessionState.CLOSING if there is not None:
                self._media.close(unit, leg.id)
            case SessionState.OPENING | SessionState.CLOSING:
                self._step(unit, leg.id, ev.SessionLost(leg.id, leg.worker or ""))
            case SessionState.OPEN if there is None:
                self._step(unit, leg.id, ev.SessionLost(leg.id, leg.worker or ""))
            case SessionState.OPEN if leg.remote is not None:
                self._media.connect(unit, leg.id, leg.remote)
        if leg.direction is Direction.INBOUND and leg.state is LegState.RINGING:
            self._signalling.ring(unit, leg.id)
        if leg.is_live and not has_dialog and leg.state is not LegState.ALLOCATING:
            self._step(unit, leg.id, ev.DialogLost(leg.id, "restart"))

    def reassert_bridge(self, unit: Unit, contact_id: str, *, hold: Sequence[str]) -> None:
        """Say again who is joined, or held (to `hold`): the order may have been committed and not sent."""
        bridge = self.contact(contact_id).bridge
        if bridge is not None and bridge.held:
            self._media.hold(unit, bridge.listener or bridge.customer, HOLD, hold)
        elif bridge is not None:
            self._media.bridge(unit, bridge.customer, bridge.agent, recording=bridge.recording)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _receive(self, unit: Unit, event: ev.InviteArrived) -> None:
        contact_id = self._ids()
        leg = Leg(event.leg, contact_id, Direction.INBOUND, Role.CUSTOMER, event.source, offer=event.offer)
        self._keep(unit, Contact(contact_id, event.source_kind, event.source, unit.now, (leg,)))
        self._owner[leg.id] = contact_id
        unit.remember_person(contact_id, caller=event.caller, caller_name=event.caller_name, called=event.called)
        unit.event(
            "calls.contact.received", contact_id, leg=leg.id, source_kind=event.source_kind, source=event.source
        )
        self._notify(
            unit,
            notices.ContactReceived(
                contact_id,
                leg.id,
                event.source_kind,
                event.source,
                event.called,
                event.caller,
                event.caller_name,
            ),
        )

    def _step(self, unit: Unit, leg_id: str, event: LegInput) -> None:
        contact = self._contacts.get(self._owner.get(leg_id, ""))
        if contact is None:
            return
        before = contact.leg(leg_id)
        leg, effects = LegMachine(before).handle(event, now=unit.now)
        if leg != before:
            self._keep(unit, contact.with_leg(leg))
        for effect in effects:
            self._run(unit, leg, effect)
        self._close_if_over(unit, contact.id)

    def _run(self, unit: Unit, leg: Leg, effect: fx.LegEffect) -> None:
        match effect:
            case fx.SendRing():
                unit.event("calls.leg.ringing", leg.contact, leg=leg.id, status=180)
                self._signalling.ring(unit, leg.id)
            case fx.SendAnswer():
                self._signalling.answer(unit, leg.id, effect.local)
            case fx.SendReject():
                self._signalling.reject(unit, leg.id, effect.status)
            case fx.SendInvite():
                self._signalling.invite(unit, leg.id, effect.target, effect.local)
            case fx.SendCancel():
                self._signalling.cancel(unit, leg.id)
            case fx.SendBye():
                self._signalling.bye(unit, leg.id, effect.reason)
            case fx.OpenMedia():
                self._media.open(unit, leg.id, remote=effect.remote, near=effect.near)
            case fx.ConnectMedia():
                self._media.connect(unit, leg.id, effect.remote)
            case fx.CloseMedia():
                self._part(unit, leg)
                self._media.close(unit, leg.id)
            case _:
                self._tell(unit, leg, effect)

    def _tell(self, unit: Unit, leg: Leg, effect: fx.LegEffect) -> None:
        contact = leg.contact
        match effect:
            case fx.MediaOpened():
                unit.event("calls.media.opened", contact, leg=leg.id, worker=effect.worker)
            case fx.Tried():
                self._notify(unit, notices.LegTried(contact, leg.id))
            case fx.Rang():
                unit.event("calls.leg.ringing", contact, leg=leg.id, status=effect.status)
                self._notify(unit, notices.LegRang(contact, leg.id))
            case fx.Answered():
                unit.event("calls.leg.answered", contact, leg=leg.id)
                self._notify(unit, notices.LegAnswered(contact, leg.id))
            case fx.Held():
                self._notify(unit, notices.LegHeld(contact, leg.id, effect.held))
            case fx.Pressed():
                self._notify(unit, notices.LegPressed(contact, leg.id, effect.number, effect.digit))
            case fx.MediaClosed():
                self._media_closed(unit, leg, effect)
            case fx.Ended():
                ending = effect.ending
                unit.event(
                    "calls.leg.ended",
                    contact,
                    leg=leg.id,
                    by=ending.by.value,
                    reason=ending.reason,
                    status=ending.status,
                    answered=effect.answered,
                )
                self._notify(unit, notices.LegEnded(contact, leg.id, ending, effect.answered))

    def _media_closed(self, unit: Unit, leg: Leg, closed: fx.MediaClosed) -> None:
        stats = None if closed.stats is None else {name: getattr(closed.stats, name) for name in _STATS}
        unit.event("calls.media.closed", leg.contact, leg=leg.id, stats=stats)
        if closed.recording_ms is not None:
            self._recording_ended(unit, self._contacts[leg.contact], leg.recording, closed.recording_ms)

    @staticmethod
    def _recording_ended(unit: Unit, contact: Contact, path: str | None, duration_ms: int) -> None:
        unit.event("calls.recording.ended", contact.id, recording=path, duration_ms=duration_ms)

    def _part(self, unit: Unit, leg: Leg) -> None:
        """The worker parts the bridge of a session that closes; here only the contact forgets it."""
        contact = self._contacts[leg.contact]
        if contact.bridge is not None and leg.id in {contact.bridge.customer, contact.bridge.agent}:
            bridge = contact.bridge
            # The worker closes the file with the first of the two sessions and tells its length with that.
            parted = contact.with_leg(replace(contact.leg(leg.id), recording=bridge.recording))
            self._keep(unit, replace(parted, bridge=None))
            unit.event("calls.bridge.parted", contact.id, customer=bridge.customer, agent=bridge.agent)

    def _keep(self, unit: Unit, contact: Contact) -> None:
        self._contacts[contact.id] = contact
        for leg in contact.legs:
            self._owner[leg.id] = contact.id
        unit.save(STATE, contact.id, contact)

    def _close_if_over(self, unit: Unit, contact_id: str) -> None:
        contact = self._contacts.get(contact_id)
        if contact is None or contact.live_legs:
            return
        if not contact.is_over:
            if contact.close_by is None:
                close_by = unit.now + CLOSE_GRACE
                self._keep(unit, replace(contact, close_by=close_by))
                self._set_alarm(contact_id, close_by)
            return
        first = contact.legs[0].ending
        by = contact.ended_by or ("caller" if first and first.by is EndedBy.PEER else "system")
        reason = contact.reason or (first.reason if first else "error")
        status = contact.status if contact.ended_by else (first.status if first else None)
        unit.event("calls.contact.ended", contact_id, by=by, reason=reason, status=status)
        unit.delete(STATE, contact_id)
        self._set_alarm(contact_id, None)
        del self._contacts[contact_id]
        for leg in contact.legs:
            del self._owner[leg.id]
        self._notify(unit, notices.ContactClosed(contact_id))


def _recording(contact: Contact, number: int) -> str:
    """Dated folders stay listable over years; the name is the contact's id, so nothing personal is in it."""
    suffix = f"-{number}" if number > 1 else ""
    return f"{contact.received_at:%Y/%m/%d}/{contact.id}{suffix}.wav"
