"""The world around the core: callers who come, wait and hang up, agents who come, answer, talk and go.

The core is the one that routes real calls, driven as its service drives it: inputs with the time, events back, a Tick
at each of its deadlines. This module decides nothing about routing. What it does not do is keep the log.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from acd import commands, events
from acd.core import Distributor
from acd.laboratory.tally import Counts, Outcome, added
from acd.laboratory.trial import SimulatedCall, Trial
from callcenter.kernel.errors import Conflict

BEGIN = datetime(2000, 1, 3, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# The rows that the service would write are thrown away this often, so that a long run does not keep them all.
INPUTS_BETWEEN_CLEARING = 512
FOR_EVER = 1 << 62
DAY_MS = 24 * 3_600_000

# Places of a call's cell, in the order of Counts.
OFFERED, BLOCKED, WAITED, WAIT, SERVED, SERVED_WAIT, SERVED_IN_TIME, ABANDONED, ABANDONED_IN_TIME, LEFT = range(10)
FIELDS = 10

Cell = list[int]
Due = tuple[int, int, "Step", str]
"""(ms, a number that keeps equal times in order, what, of whom)."""

HANGS_UP, ENDS, ANSWERS, COMES, GOES, FINISHES = range(6)
Step = int


class NeverServed(Conflict):
    """Callers wait for whom nobody will ever come."""

    code = "never_served"


class _Desk:
    """One agent as the counting sees him: what he does, since when."""

    __slots__ = ("group", "since", "state")

    def __init__(self, group: int) -> None:
        self.group = group
        self.state = "logged_out"
        self.since = 0


class World:
    """One trial, run once by `run`."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._core = Distributor()
        self._inputs = 0
        self._order = 0
        self._due: list[Due] = []
        self._now_ms = 0
        self._now = BEGIN
        self._calls = 0
        self._open = 0
        self._waiting = 0
        self._live: dict[str, tuple[SimulatedCall, Cell | None]] = {}
        self._fences: dict[str, int] = {}
        self._replies: list[commands.Input] = []
        # Callers whom a queue has sent to another: the entry that each has now, and whose an entry is.
        self._entry_of: dict[str, str] = {}
        self._caller_of: dict[str, str] = {}
        self._wrap_up_ms = {queue.name: queue.wrap_up_s * 1000 for queue in trial.policy.queues}
        self._wraps_up_for: dict[str, int] = {}
        self._period_ms = (trial.until_ms - trial.from_ms) / trial.periods
        self._cells: dict[str, list[Cell]] = {
            type_: [[0] * FIELDS for _ in range(trial.periods)] for type_ in trial.types
        }
        self._names = tuple(dict.fromkeys(trial.groups.values()))
        self._desks = {agent: _Desk(self._names.index(group)) for agent, group in trial.groups.items()}
        self._answered: list[Cell] = [[0] * FIELDS for _ in self._names]
        self._handled = [[0] * trial.periods for _ in self._names]
        self._idled = [[0] * trial.periods for _ in self._names]

    def run(self) -> Outcome:
        """Let it all happen; what it came to. Raises NeverServed when counted callers wait on and on."""
        trial = self._trial
        self._take(commands.PolicyLoaded(trial.policy))
        for shift in trial.shifts:
            self._plan(shift.from_ms, COMES, shift.agent)
            if shift.until_ms is not None:
                self._plan(shift.until_ms, GOES, shift.agent)
        calls = iter(trial.calls)
        self._flow(calls)
        if self._open:
            types = sorted({call.type for call, cell in self._live.values() if cell is not None})
            raise NeverServed(
                f"{self._open} callers ({', '.join(types)}) wait on and on: no agent comes who can serve them"
            )
        self._settle()
        return self._outcome()

    def _flow(self, calls: Iterator[SimulatedCall]) -> None:
        due, core, until = self._due, self._core, self._trial.until_ms
        length = until - self._trial.from_ms
        call = next(calls, None)
        deadline: datetime | None = None
        deadline_ms = FOR_EVER
        while True:
            if core.next_deadline is not deadline:
                deadline = core.next_deadline
                deadline_ms = FOR_EVER if deadline is None else (deadline - BEGIN) // MILLISECOND
            at = due[0][0] if due else FOR_EVER
            # Who is done at this very moment is free for who calls at it.
            comes = call is not None and call.at_ms < at
            if call is not None and comes:
                at = call.at_ms
            patience_ms = 0 if not self._open else length + DAY_MS if call is not None else 10 * length + 7 * DAY_MS
            if min(at, deadline_ms) >= until + patience_ms:
                return
            if deadline_ms <= at:
                self._go_on(deadline_ms)
                self._take(commands.Tick())
            elif call is not None and comes:
                self._go_on(at)
                self._arrive(call)
                call = next(calls, None)
            else:
                _, _, step, whom = heappop(due)
                self._go_on(at)
                _STEPS[step](self, whom)

    def _go_on(self, ms: int) -> None:
        if ms != self._now_ms:
            self._now_ms = ms
            self._now = BEGIN + timedelta(milliseconds=ms)

    def _plan(self, ms: int, step: Step, whom: str) -> None:
        self._order += 1
        heappush(self._due, (ms, self._order, step, whom))

    # -- what people do -------------------------------------------------------------------------------------------

    def _arrive(self, call: SimulatedCall) -> None:
        trial = self._trial
        cell = None
        if trial.from_ms <= call.at_ms < trial.until_ms:
            cell = self._cells[call.type][int((call.at_ms - trial.from_ms) / self._period_ms)]
            cell[OFFERED] += 1
            self._open += 1
        self._calls += 1
        entry = f"{trial.salt}{self._calls}"
        self._live[entry] = (call, cell)
        offered = self._waiting
        self._waiting += 1
        self._take(
            commands.EntryQueued(
                entry, call.queue, skills=call.skills, priority=call.priority, head_start_s=call.head_start_s
            )
        )
        if self._waiting <= offered or entry not in self._live:
            return
        if trial.waiting_room is not None and self._waiting > trial.waiting_room and self._is_unoffered(entry):
            self._block(entry, cell)
        elif call.patience_ms is not None:
            self._plan(self._now_ms + call.patience_ms, HANGS_UP, entry)

    def _is_unoffered(self, caller: str) -> bool:
        return self._core.entries[self._entry_of.get(caller, caller)].state == "waiting"

    def _block(self, entry: str, cell: Cell | None) -> None:
        """No agent and no room: the caller hears busy, and the core never counted him as one who waited."""
        del self._live[entry]
        self._waiting -= 1
        if cell is not None:
            cell[BLOCKED] += 1
            self._open -= 1
        self._take(commands.EntryWithdrawn(self._entry_of.get(entry, entry), "overflowed"))

    def _hang_up(self, caller: str) -> None:
        entry = self._entry_of.get(caller, caller)
        if entry in self._core.entries:
            self._take(commands.EntryAbandoned(entry))

    def _answer(self, offer: str) -> None:
        fence = self._fences.pop(offer, None)
        if fence is not None and offer in self._core.offers:
            self._take(commands.OfferAccepted(offer, fence))

    def _end(self, contact: str) -> None:
        self._take(commands.ContactEnded(contact))

    def _finish(self, agent: str) -> None:
        self._take(commands.WrapUpFinished(agent))

    def _come(self, agent: str) -> None:
        self._take(commands.AgentSignedIn(agent))
        self._take(commands.PresenceChanged(agent, phone=True, console=True))
        self._take(commands.AgentWentAvailable(agent))

    def _go(self, agent: str) -> None:
        self._take(commands.AgentSignedOut(agent))

    # -- what the core says ---------------------------------------------------------------------------------------

    def _take(self, input_: commands.Input) -> None:
        """Hand one input in, hear all that comes of it, then do what is due at once."""
        self._hand_in(input_)
        while self._replies:
            self._hand_in(self._replies.pop(0))

    def _hand_in(self, input_: commands.Input) -> None:
        core = self._core
        self._inputs += 1
        if self._inputs % INPUTS_BETWEEN_CLEARING == 0:
            core.take_touched()
        for event in core.handle(input_, now=self._now):
            hear = _EARS.get(type(event))
            if hear is not None:
                hear(self, event)

    def _hear_offer(self, offer: events.OfferCreated) -> None:
        if self._trial.answer_ms:
            self._fences[offer.offer] = offer.fence
            self._plan(self._now_ms + self._trial.answer_ms, ANSWERS, offer.offer)
        else:
            self._replies.append(commands.OfferAccepted(offer.offer, offer.fence))

    def _hear_answer(self, answered: events.EntryAnswered) -> None:
        call, cell = self._live.pop(self._caller_of.get(answered.entry, answered.entry))
        self._waiting -= 1
        self._wraps_up_for[answered.agent] = self._wrap_up_ms[answered.queue]
        self._plan(self._now_ms + self._trial.handling(call, answered.agent), ENDS, answered.contact)
        if cell is None:
            return
        self._open -= 1
        trial, waited = self._trial, answered.wait_ms
        for counted in (cell, self._answered[self._desks[answered.agent].group]):
            counted[SERVED] += 1
            counted[WAIT] += waited
            counted[SERVED_WAIT] += waited
            if waited > trial.answer_ms:
                counted[WAITED] += 1
            if waited <= trial.threshold_ms:
                counted[SERVED_IN_TIME] += 1

    def _hear_abandonment(self, abandoned: events.EntryAbandoned) -> None:
        cell = self._leave(abandoned.entry, abandoned.wait_ms)
        if cell is not None:
            cell[ABANDONED] += 1
            if abandoned.wait_ms <= self._trial.threshold_ms:
                cell[ABANDONED_IN_TIME] += 1

    def _hear_end(self, ended: events.EntryEnded) -> None:
        kind, _, name = (ended.target or "").partition(":")
        caller = self._caller_of.get(ended.entry, ended.entry)
        if kind == "queue" and name in self._wrap_up_ms and caller in self._live:
            self._send_to(name, ended.entry, caller)
            return
        cell = self._leave(ended.entry, ended.wait_ms)
        if cell is not None:
            cell[LEFT] += 1

    def _send_to(self, queue: str, entry: str, caller: str) -> None:
        """As a queue's overflow says: he goes on waiting there, since when he came."""
        call, _ = self._live[caller]
        then = f"{entry}+"
        self._entry_of[caller], self._caller_of[then] = then, caller
        self._replies.append(
            commands.EntryQueued(
                then,
                queue,
                skills=call.skills,
                priority=call.priority,
                enqueued_at=BEGIN + timedelta(milliseconds=call.at_ms),
                head_start_s=call.head_start_s,
            )
        )

    def _leave(self, entry: str, waited: int) -> Cell | None:
        live = self._live.pop(self._caller_of.get(entry, entry), None)
        if live is None:
            return None
        self._waiting -= 1
        cell = live[1]
        if cell is not None:
            self._open -= 1
            cell[WAITED] += 1
            cell[WAIT] += waited
        return cell

    def _hear_state(self, changed: events.AgentStateChanged) -> None:
        desk = self._desks[changed.agent]
        if desk.since != self._now_ms:
            self._account(desk)
            desk.since = self._now_ms
        desk.state = changed.state
        if changed.state == "wrap_up" and changed.until is None:
            # It does not end by itself; the agent says so when the time that it should take is over.
            self._plan(self._now_ms + self._wraps_up_for.get(changed.agent, 0), FINISHES, changed.agent)

    # -- counting agents' time ------------------------------------------------------------------------------------

    def _account(self, desk: _Desk) -> None:
        """Add what this agent has done since his last change, cut to what is counted; ringing is neither."""
        if desk.state in ("on_contact", "wrap_up"):
            sums = self._handled[desk.group]
        elif desk.state == "available":
            sums = self._idled[desk.group]
        else:
            return
        begin, first = self._trial.from_ms, self._trial.until_ms
        since, until = max(desk.since, begin), min(self._now_ms, first)
        if since >= until:
            return
        length = self._period_ms
        period = int((since - begin) / length)
        while (end := begin + int((period + 1) * length)) < until:
            sums[period] += max(0, end - since)
            since = max(since, end)
            period += 1
        sums[min(period, len(sums) - 1)] += until - since

    def _settle(self) -> None:
        """Account for what goes on until the counting ends."""
        self._now_ms = max(self._now_ms, self._trial.until_ms)
        for desk in self._desks.values():
            self._account(desk)

    def _outcome(self) -> Outcome:
        by_type = {type_: added(Counts(*cell) for cell in cells) for type_, cells in self._cells.items()}
        by_group = {
            name: Counts(*cell)._replace(handle_ms=sum(handled), idle_ms=sum(idled))
            for name, cell, handled, idled in zip(
                self._names, self._answered, self._handled, self._idled, strict=True
            )
        }
        by_period = tuple(
            added(Counts(*cells[period]) for cells in self._cells.values())._replace(
                handle_ms=sum(handled[period] for handled in self._handled),
                idle_ms=sum(idled[period] for idled in self._idled),
            )
            for period in range(self._trial.periods)
        )
        return Outcome(added(by_period), by_type, by_group, by_period, self._calls)


_STEPS: tuple[Callable[[World, str], None], ...] = (
    World._hang_up,
    World._end,
    World._answer,
    World._come,
    World._go,
    World._finish,
)
_EARS: dict[type, Callable[..., None]] = {
    events.OfferCreated: World._hear_offer,
    events.EntryAnswered: World._hear_answer,
    events.EntryAbandoned: World._hear_abandonment,
    events.EntryEnded: World._hear_end,
    events.AgentStateChanged: World._hear_state,
}
