"""The runs of a site: one for each contact in a flow, its events, its stored row and its deadline.

A run keeps the version of the document that it began with. Documents are state rows too (`flow_document`, by
version): stored when a version's first run begins, deleted when its last run has ended and the file has moved on. So
after a restart with edited files a run resumes in the document that its caller heard the beginning of.
"""

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from callcenter.calendars import Calendar
from callcenter.kernel.codec import decode
from callcenter.kernel.unit import Unit
from callcenter.numbers import normalise
from ivr.checks import Known, check
from ivr.commands import Command, DigitsCollected, FlowEnded, FlowStarted, NodeEntered, NodeLeft, Trace
from ivr.errors import Problem, UnknownFlow
from ivr.events import Input, Started
from ivr.machines.flow_run import FlowRun
from ivr.machines.stage import Stage
from ivr.model import Flow
from ivr.prompts import PromptFolder
from ivr.reading import read_flow

log = logging.getLogger(__name__)

RUN = "flow"
DOCUMENT = "flow_document"
Customer = dict[str, str | int | bool | None]


class FlowDocument(msgspec.Struct, frozen=True):
    """A stored document, as its file had it."""

    name: str
    source: dict[str, object]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restart found: contacts whose run goes on (send Resumed), and those whose run is over.

    A run is `lost` when its document cannot be read any more; its caller is to be hung up on (reason error).
    """

    resumed: tuple[str, ...]
    lost: tuple[str, ...]


class FlowService:
    """Owned by the loop's thread."""

    def __init__(
        self,
        flows: Mapping[str, Flow],
        prompts: PromptFolder,
        calendars: Mapping[str, Calendar],
        *,
        wall: Callable[[], datetime] | None = None,
        region: str = "",
    ) -> None:
        """`wall` is true wall time for calendars (`clock.wall`); without it the unit's `now` serves.

        `region` (ISO 3166) is where callers' numbers without a country are from.
        """
        self._flows = dict(flows)
        self._prompts = prompts
        self._calendars = calendars
        self._wall = wall
        self._region = region
        self._runs: dict[str, FlowRun] = {}
        self._stages: dict[str, Stage] = {}
        self._users: Counter[str] = Counter()
        self._stored: set[str] = set()
        self._deadlines: list[tuple[datetime, str]] = []

    # -- calls ------------------------------------------------------------------------------------------------------

    def start(
        self,
        unit: Unit,
        contact: str,
        flow: str,
        *,
        caller: str = "",
        called: str = "",
        customer: Customer | None = None,
    ) -> list[Command]:
        """Begin `flow` for `contact`; raises UnknownFlow. The commands are the director's to carry out, in order.

        Expressions see `caller` as E.164 where it is one, empty where it is withheld; `called` as it was dialled.
        """
        document = self._flows.get(flow)
        if document is None:
            raise UnknownFlow(f"no flow {flow}", data={"flow": flow})
        version = document.version
        if version not in self._stages:
            self._stages[version] = Stage(document, self._prompts.find, self._calendars)
        if version not in self._stored:
            unit.save(DOCUMENT, version, FlowDocument(document.name, dict(document.source)))
            self._stored.add(version)
        self._users[version] += 1
        number = normalise(caller, region=self._region)
        caller = "" if number.kind == "withheld" else number.e164 or caller
        self._runs[contact] = FlowRun(contact, flow, version, caller, called, customer)
        return self.handle(unit, contact, Started())

    def handle(self, unit: Unit, contact: str, event: Input) -> list[Command]:
        """Give `event` to the contact's run; a contact without a run (it has ended) takes nothing.

        Raises IllegalTransition on an input that the run's state does not know.
        """
        before = self._runs.get(contact)
        if before is None:
            return []
        wall = self._wall() if self._wall is not None else None
        run, effects = before.handle(event, now=unit.now, stage=self._stages[before.version], wall=wall)
        if run.ended:
            self._forget(unit, run)
        elif run is not before:
            self._runs[contact] = run
            if event.__class__ is Started or run.kept() != before.kept():
                unit.save(RUN, contact, run.kept())
            if run.wake_at is not None and run.wake_at != before.wake_at:
                heapq.heappush(self._deadlines, (run.wake_at, contact))
        commands: list[Command] = []
        for effect in effects:
            if isinstance(effect, Command):
                commands.append(effect)
            else:
                _trace(unit, run, effect)
        return commands

    def run_of(self, contact: str) -> FlowRun | None:
        """The contact's run, None when it is in no flow (any more)."""
        return self._runs.get(contact)

    def _forget(self, unit: Unit, run: FlowRun) -> None:
        del self._runs[run.contact]
        unit.delete(RUN, run.contact)
        self._users[run.version] -= 1
        self._retire(unit, run.version)

    # -- time -------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> datetime | None:
        """The earliest instant at which a run wants Tick; None when none waits for time."""
        while self._deadlines:
            at, contact = self._deadlines[0]
            run = self._runs.get(contact)
            if run is not None and run.wake_at == at:
                return at
            heapq.heappop(self._deadlines)
        return None

    def due(self, now: datetime) -> list[str]:
        """Contacts to send Tick to, each in a unit of its own; asks again what is not ticked."""
        return [
            contact
            for contact in dict.fromkeys(contact for at, contact in self._deadlines if at <= now)
            if (run := self._runs.get(contact)) is not None and run.wake_at is not None and run.wake_at <= now
        ]

    # -- documents --------------------------------------------------------------------------------------------------

    def reload(self, unit: Unit, flows: Mapping[str, Flow]) -> None:
        """New calls take `flows` (checked) from now on; runs keep the version that they began with."""
        self._flows = dict(flows)
        for version in list(self._stages):
            self._retire(unit, version)

    def _retire(self, unit: Unit, version: str) -> None:
        if self._users[version] or any(flow.version == version for flow in self._flows.values()):
            return
        del self._users[version]
        self._stages.pop(version, None)
        if version in self._stored:
            self._stored.discard(version)
            unit.delete(DOCUMENT, version)

    def restore(
        self, unit: Unit, documents: Iterable[tuple[str, bytes]], rows: Iterable[tuple[str, bytes]]
    ) -> Restored:
        """Take over the state rows (id, blob) of the kinds `flow_document` and `flow`, before any call.

        A row that does not fit its type any more raises msgspec.ValidationError: the journal is from another version.
        """
        for version, blob in documents:
            self._stored.add(version)
            flow = self._readable(decode(blob, FlowDocument))
            if flow is not None:
                self._stages[version] = Stage(flow, self._prompts.find, self._calendars)
        resumed: list[str] = []
        lost: list[str] = []
        for contact, blob in rows:
            run = decode(blob, FlowRun)
            if run.version not in self._stages:
                unit.delete(RUN, contact)
                unit.event("ivr.flow.ended", contact, reason="error")
                lost.append(contact)
                continue
            self._runs[contact] = run
            self._users[run.version] += 1
            resumed.append(contact)
            if run.wake_at is not None:
                heapq.heappush(self._deadlines, (run.wake_at, contact))
        for version in list(self._stored):
            self._retire(unit, version)
        return Restored(tuple(resumed), tuple(lost))

    def _readable(self, document: FlowDocument) -> Flow | None:
        problems: list[Problem] = []
        flow = read_flow(document.name, document.source, problems)
        if flow is not None:
            problems += check(document.name, flow, Known())
        if problems:
            log.warning("a stored flow document cannot be read any more", extra={"flow": document.name})
            return None
        return flow


def _trace(unit: Unit, run: FlowRun, trace: Trace) -> None:
    """Write a trace as its event (docs/events.md)."""
    contact = run.contact
    match trace:
        case NodeEntered():
            unit.event("ivr.node.entered", contact, node=trace.node, kind=trace.kind)
        case NodeLeft(reason=""):
            unit.event("ivr.node.left", contact, node=trace.node, branch=trace.branch)
        case NodeLeft():
            log.warning(
                "a flow took its error branch", extra={"flow": run.flow, "node": trace.node, "reason": trace.reason}
            )
            unit.event("ivr.node.left", contact, node=trace.node, branch=trace.branch, reason=trace.reason)
        case DigitsCollected():
            _collected(unit, contact, trace)
        case FlowStarted():
            unit.event("ivr.flow.started", contact, flow=trace.flow, version=trace.version)
        case FlowEnded():
            unit.event("ivr.flow.ended", contact, reason=trace.reason)


def _collected(unit: Unit, contact: str, effect: DigitsCollected) -> None:
    unit.event("ivr.digits.collected", contact, node=effect.node, count=effect.count, masked=effect.masked)
    if effect.value is not None:
        before = unit.personal.get(contact, {}).get("collected")
        collected = {**before, effect.into: effect.value} if isinstance(before, dict) else {effect.into: effect.value}
        unit.remember_person(contact, collected=collected)
