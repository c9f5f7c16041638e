"""Runs by contact: events, rows, personal data, deadlines, restarts and edited documents."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from callcenter.calendars import load_calendars
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.codec import encode
from callcenter.kernel.unit import Unit
from ivr.commands import Answer, Command, Hangup, Play
from ivr.errors import UnknownFlow
from ivr.events import CallerGone, DigitPressed, Input, MediaUp, PromptsPlayed, Resumed, Tick
from ivr.model import Flow
from ivr.prompts import PromptFolder
from ivr.service import DOCUMENT, RUN, FlowService
from tests.ivr.world import flow_of

CONFIG = Path(__file__).resolve().parents[2] / "config"
ASK = {
    "kind": "gather",
    "prompts": ["enter-account"],
    "into": "account",
    "max": 4,
    "tries": 1,
    "next": "say",
    "on_timeout": "end",
    "on_invalid": "end",
}
SAY = {"kind": "play", "prompts": [{"say_digits": "${vars.account}"}], "next": "end"}
END = {"kind": "hangup"}


def asking(**changes: object) -> Flow:
    return flow_of({"ask": {**ASK, **changes}, "say": SAY, "end": END})


class Site:
    """A service with the units that it wrote and the state rows that they leave on disk."""

    def __init__(self, *flows: Flow) -> None:
        self.clock = FakeClock()
        self.rows: dict[tuple[str, str], bytes] = {}
        self.units: list[Unit] = []
        self.flows = {flow.name: flow for flow in flows}
        self.service = self.boot()

    def boot(self) -> FlowService:
        return FlowService(
            self.flows,
            PromptFolder(CONFIG / "prompts"),
            load_calendars(CONFIG / "calendars"),
            wall=self.clock.wall,
            region="IT",
        )

    def commit(self, unit: Unit) -> None:
        self.units.append(unit)
        for key, state in unit.states.items():
            if state is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = encode(state)

    def call(self, contact: str, flow: str = "test", caller: str = "") -> list[Command]:
        unit = Unit(self.clock.now())
        commands = self.service.start(unit, contact, flow, caller=caller)
        self.commit(unit)
        return commands

    def gives(self, contact: str, event: Input) -> list[Command]:
        unit = Unit(self.clock.now())
        commands = self.service.handle(unit, contact, event)
        self.commit(unit)
        return commands

    def presses(self, contact: str, keys: str) -> list[Command]:
        return [c for n, key in enumerate(keys, 1) for c in self.gives(contact, DigitPressed(n, key))]

    def of_kind(self, kind: str) -> list[tuple[str, bytes]]:
        return sorted((id_, blob) for (k, id_), blob in self.rows.items() if k == kind)

    def restarts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        self.service = self.boot()
        unit = Unit(self.clock.now())
        restored = self.service.restore(unit, self.of_kind(DOCUMENT), self.of_kind(RUN))
        self.commit(unit)
        return restored.resumed, restored.lost

    @property
    def events(self) -> list[tuple[str, Mapping[str, object]]]:
        return [(draft.type, draft.data) for unit in self.units for draft in unit.drafts]

    @property
    def written(self) -> str:
        """Everything but personal rows that any unit wrote."""
        return repr([(unit.drafts, {k: v and encode(v) for k, v in unit.states.items()}) for unit in self.units])


def test_a_call_leaves_the_events_that_the_catalogue_has() -> None:
    site = Site(asking())
    version = site.flows["test"].version
    assert site.call("c1") == [Answer()]
    site.gives("c1", MediaUp())
    site.presses("c1", "1234")
    site.gives("c1", PromptsPlayed("f2"))
    assert site.events == [
        ("ivr.flow.started", {"flow": "test", "version": version}),
        ("ivr.node.entered", {"node": "ask", "kind": "gather"}),
        ("ivr.digits.collected", {"node": "ask", "count": 4, "masked": False}),
        ("ivr.node.left", {"node": "ask", "branch": "next"}),
        ("ivr.node.entered", {"node": "say", "kind": "play"}),
        ("ivr.node.left", {"node": "say", "branch": "next"}),
        ("ivr.node.entered", {"node": "end", "kind": "hangup"}),
        ("ivr.flow.ended", {"reason": "hangup"}),
    ]
    assert all(draft.subject == "c1" for unit in site.units for draft in unit.drafts)


def test_collected_digits_go_to_the_erasable_row_and_masked_ones_nowhere() -> None:
    open_, masked = Site(asking()), Site(asking(masked=True))
    for site in (open_, masked):
        site.call("c1")
        site.gives("c1", MediaUp())
        assert isinstance(site.presses("c1", "9081")[-1], Play)
    assert {"collected": {"account": "9081"}} in [unit.personal.get("c1") for unit in open_.units]
    assert not any(unit.personal for unit in masked.units)
    assert "9081" not in masked.written
    assert "908" not in masked.written


def test_values_collected_in_one_unit_are_all_remembered() -> None:
    first = {**ASK, "into": "first", "max": 1, "next": "second"}
    site = Site(flow_of({"hello": {**SAY, "prompts": ["welcome"], "next": "ask"}, "ask": first,
                         "second": {**first, "into": "second", "next": "end"}, "end": END}))  # fmt: skip
    site.call("c1")
    site.gives("c1", MediaUp())
    site.presses("c1", "12")
    site.gives("c1", PromptsPlayed("f1"))
    assert site.units[-1].personal == {"c1": {"collected": {"first": "1", "second": "2"}}}


def test_a_run_that_ended_leaves_no_row_and_takes_nothing() -> None:
    site = Site(asking())
    site.call("c1")
    site.gives("c1", CallerGone())
    assert site.of_kind(RUN) == []
    assert site.service.run_of("c1") is None
    assert site.gives("c1", MediaUp()) == []
    assert site.units[-1].is_empty


def test_an_input_that_changes_nothing_writes_nothing() -> None:
    site = Site(asking())
    site.call("c1")
    site.gives("c1", MediaUp())
    site.gives("c1", Tick())
    assert site.units[-1].is_empty


def test_an_unknown_flow_is_named() -> None:
    with pytest.raises(UnknownFlow) as refused:
        Site(asking()).call("c1", "nothing")
    assert refused.value.data == {"flow": "nothing"}


@pytest.mark.parametrize(("caller", "seen"), [("06/1234567", "+39061234567"), ("Anonymous", ""), ("1001", "1001")])
def test_expressions_see_the_callers_number_as_it_is_meant(caller: str, seen: str) -> None:
    site = Site(asking())
    site.call("c1", caller=caller)
    run = site.service.run_of("c1")
    assert run is not None
    assert run.caller == seen


def test_the_earliest_deadline_is_told_and_its_contacts_are_due() -> None:
    site = Site(asking())
    for contact in ("c1", "c2"):
        site.call(contact)
        site.gives(contact, MediaUp())
        site.gives(contact, PromptsPlayed("f1"))
        site.clock.advance(1)
    assert site.service.next_deadline() == site.clock.now().replace(second=5)
    site.clock.advance(3)
    assert site.service.due(site.clock.now()) == ["c1"]
    assert site.gives("c1", Tick()) == [Hangup("flow", 480)]
    assert site.service.due(site.clock.now()) == []
    assert site.service.next_deadline() == site.clock.now().replace(second=6)
    site.gives("c2", CallerGone())
    assert site.service.next_deadline() is None


def test_a_deadline_that_moved_is_told_where_it_is_now() -> None:
    site = Site(asking())
    site.call("c1")
    site.gives("c1", MediaUp())
    site.gives("c1", PromptsPlayed("f1"))
    start = site.clock.now()
    site.clock.advance(4)
    site.presses("c1", "1")
    assert site.service.next_deadline() == start.replace(second=7)
    assert site.service.due(start.replace(second=5)) == []
    assert site.service.due(start.replace(second=7)) == ["c1"]


def test_a_restart_goes_on_in_the_document_that_the_call_began_with() -> None:
    site = Site(asking())
    site.call("c1")
    site.gives("c1", MediaUp())
    edited = flow_of({"other": {"kind": "hangup", "status": 486}})
    site.flows = {"test": edited}
    assert site.restarts() == (("c1",), ())
    (again,) = site.gives("c1", Resumed())
    assert again == Play("f2", (str((CONFIG / "prompts/en/enter-account.wav").resolve()),))
    assert site.call("c2") == [Hangup("flow", 486)]
    site.gives("c1", CallerGone())
    assert [version for version, _ in site.of_kind(DOCUMENT)] == [edited.version]


def test_a_reload_leaves_running_calls_their_version() -> None:
    site = Site(asking())
    site.call("c1")
    edited = flow_of({"other": {"kind": "hangup", "status": 486}})
    unit = Unit(site.clock.now())
    site.service.reload(unit, {"test": edited})
    site.commit(unit)
    assert isinstance(site.gives("c1", MediaUp())[0], Play)
    assert site.call("c2") == [Hangup("flow", 486)]
    site.gives("c1", CallerGone())
    assert [version for version, _ in site.of_kind(DOCUMENT)] == [edited.version]


def test_a_document_is_stored_once_and_not_with_every_call() -> None:
    site = Site(asking())
    for contact in ("c1", "c2"):
        site.call(contact)
    assert [(DOCUMENT, site.flows["test"].version) in unit.states for unit in site.units] == [True, False]


def test_a_run_whose_document_is_unreadable_is_lost_and_says_so() -> None:
    site = Site(asking())
    site.call("c1")
    del site.rows[DOCUMENT, site.flows["test"].version]
    assert site.restarts() == ((), ("c1",))
    assert site.events[-1] == ("ivr.flow.ended", {"reason": "error"})
    assert site.of_kind(RUN) == []


def test_a_deadline_survives_a_restart() -> None:
    site = Site(asking())
    site.call("c1")
    site.gives("c1", MediaUp())
    site.gives("c1", PromptsPlayed("f1"))
    before = site.service.next_deadline()
    site.restarts()
    assert site.service.next_deadline() == before
