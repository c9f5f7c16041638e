"""The versions of the policy on a database, and the distributor that runs them while callers wait."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select, update

import acd.commands as acd_in
from acd import events
from acd.config import load as load_roster
from acd.policy_tables import PolicyVersion
from acd.policy_text import PolicyInvalid, Texts, checked
from acd.policy_versions import PolicyChanged
from acd.service import AcdService
from callcenter.app.directory import directory_of
from callcenter.app.endpoints import Endpoints, Phone
from callcenter.app.live import LiveSide
from callcenter.app.policy_side import PolicySide, missing_queues
from callcenter.app.policy_start import KEPT, active_roster, kept_policy
from callcenter.app.site_config import load_site
from callcenter.identity.tables import AuditEntry
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import ConfigError, NotFound
from callcenter.kernel.site import Site
from callcenter.kernel.unit import Unit
from ivr.prompts import PromptFolder

pytestmark = pytest.mark.integration

QUEUES = "queues:\n  - name: billing\n    skills: {billing: 1}\n  - name: sales\n"
AGENTS = 'agents:\n  - id: ann\n    phone: "1001"\n    skills: {sales: 3}\n'
SKILLED = Texts(QUEUES, AGENTS.replace("{sales: 3}", "{sales: 3, billing: 2}"))


class House:
    """A site whose distributor is real and whose calls are not."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.config, self.data = folder / "config", folder / "data"
        for each in (self.config, self.data):
            each.mkdir()
        self.write(Texts(QUEUES, AGENTS))
        self.clock = FakeClock()
        self.told: list[events.Event] = []
        self.starts()

    def write(self, texts: Texts) -> None:
        (self.config / "queues.yaml").write_text(texts.queues)
        (self.config / "agents.yaml").write_text(texts.agents)

    def starts(self) -> None:
        """An application begins: with the files or with what it kept."""
        self.acd = AcdService()
        roster = active_roster(self.config, self.data) or load_roster(self.config)
        self.acd.start(Unit(self.clock.now()), roster.policy, epoch=1)
        found = SimpleNamespace(
            roster=roster,
            flows={},
            prompts=PromptFolder(Path("config/prompts")),
            language="en",
            agent_of_phone=lambda _: None,
            endpoints=Endpoints((), tuple(Phone(user, None, user, None) for user in ("1001", "1002"))),
        )
        live = SimpleNamespace(
            clock=self.clock,
            site=found,
            acd=self.acd,
            agent=SimpleNamespace(
                directory=SimpleNamespace(realm="r"), registration=SimpleNamespace(reachable_users=lambda: {"1001"})
            ),
            director=SimpleNamespace(distribute=self.tell),
            open_unit=lambda: Unit(self.clock.now()),
            submit=lambda unit: [action() for action in unit.actions],
        )
        self.live = cast("LiveSide", live)
        self.side = PolicySide(self.site, self.live, config=self.config, data=self.data)

    def tell(self, unit: Unit, input_: acd_in.Input) -> Sequence[events.Event]:
        told = self.acd.handle(unit, input_)
        self.told += told
        return told

    def does(self, *inputs: acd_in.Input) -> None:
        for input_ in inputs:
            self.tell(Unit(self.clock.now()), input_)

    def a_caller_waits_and_ann_is_free(self) -> None:
        self.does(
            acd_in.PresenceChanged("ann", phone=True),
            acd_in.AgentSignedIn("ann"),
            acd_in.AgentWentAvailable("ann"),
            acd_in.EntryQueued("e1", "billing", contact="c1"),
        )

    def offered(self) -> list[tuple[str, str]]:
        return [(each.contact, each.agent) for each in self.told if isinstance(each, events.OfferCreated)]

    async def numbers(self) -> list[tuple[int, str, bool]]:
        return [(each.number, each.author, each.is_active) for each in await self.side.list()]


@pytest.fixture
async def house(site: Site, tmp_path: Path) -> House:
    house = House(site, tmp_path)
    await house.side.opened()
    return house


async def test_the_files_are_the_first_version(house: House) -> None:
    assert await house.numbers() == [(1, "files", True)]
    assert (await house.side.show(None)).texts == Texts(QUEUES, AGENTS)
    kept = kept_policy(house.data)
    assert kept is not None
    assert kept.number == 1
    assert (house.data / KEPT).stat().st_mode & 0o077 == 0


async def test_a_waiting_caller_is_offered_to_the_agent_who_is_given_the_skill(house: House) -> None:
    house.a_caller_waits_and_ann_is_free()
    assert house.offered() == []
    saved = await house.side.save(SKILLED, based_on=1, note="ann learns", activate=True, by="root")
    assert (saved.view.number, saved.view.is_active, saved.view.note) == (2, True, "ann learns")
    assert house.offered() == [("c1", "ann")]
    assert house.acd.core.policy.version == saved.view.policy
    assert house.live.site.roster == checked(SKILLED)


async def test_rolling_back_keeps_the_caller_who_waits(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    house.a_caller_waits_and_ann_is_free()
    house.does(acd_in.EntryQueued("e2", "billing", contact="c2"))
    back = await house.side.activate(1, active=2, by="root")
    assert back.view.is_active
    assert await house.numbers() == [(2, "root", False), (1, "files", True)]
    assert set(house.acd.core.entries) == {"e1", "e2"}
    assert house.acd.core.policy == checked(Texts(QUEUES, AGENTS)).policy


async def test_callers_of_a_queue_that_is_taken_away_are_served_all_the_same(house: House) -> None:
    house.does(acd_in.PresenceChanged("ann", phone=True), acd_in.EntryQueued("e1", "sales", contact="c1"))
    without = Texts("queues:\n  - name: billing\n    skills: {billing: 1}\n", AGENTS)
    await house.side.save(without, based_on=1, note="", activate=True, by="root")
    assert set(house.acd.core.entries) == {"e1"}
    house.does(acd_in.AgentSignedIn("ann"), acd_in.AgentWentAvailable("ann"))
    assert house.offered() == [("c1", "ann")]


async def test_an_agent_who_is_taken_away_keeps_his_call(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    house.a_caller_waits_and_ann_is_free()
    house.does(acd_in.OfferAccepted("e1-o1", 1))
    others = Texts(QUEUES, AGENTS.replace("id: ann", "id: bob"))
    await house.side.save(others, based_on=2, note="", activate=True, by="root")
    assert house.acd.core.agents["ann"].contact == "c1"
    assert house.acd.core.agents["bob"].phone
    house.does(acd_in.ContactEnded("c1"))
    assert house.acd.core.agents["ann"].state == "wrap_up"
    house.clock.advance(30)
    house.does(acd_in.Tick())
    assert "ann" not in house.acd.core.agents


async def test_a_saved_version_that_is_not_put_in_force_changes_nothing(house: House) -> None:
    house.a_caller_waits_and_ann_is_free()
    saved = await house.side.save(SKILLED, based_on=1, note="", activate=False, by="root")
    assert not saved.view.is_active
    assert house.offered() == []


async def test_the_second_of_two_who_edit_at_once_is_refused_and_nothing_is_lost(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    with pytest.raises(PolicyChanged) as refused:
        await house.side.save(Texts(QUEUES, AGENTS), based_on=1, note="", activate=True, by="other")
    assert refused.value.data == {"active": 2}
    assert [number for number, _, _ in await house.numbers()] == [2, 1]


async def test_mistakes_are_refused_before_anything_is_saved(house: House) -> None:
    with pytest.raises(PolicyInvalid):
        await house.side.save(Texts("queues: 7", AGENTS), based_on=1, note="", activate=True, by="root")
    problems, diff = await house.side.check(Texts("queues: 7", AGENTS))
    assert [one.key for one in problems] == ["queues"]
    assert "+queues: 7" in diff
    assert len(await house.numbers()) == 1


async def test_a_queue_that_a_flow_leads_to_cannot_be_taken_away(house: House) -> None:
    flow = SimpleNamespace(nodes={"wait": SimpleNamespace(queue="billing"), "end": SimpleNamespace()})
    house.live.site.flows["main"] = flow  # type: ignore[assignment] # of a flow only the nodes are looked at
    without = Texts("queues:\n  - name: sales\n", AGENTS)
    with pytest.raises(PolicyInvalid) as refused:
        await house.side.save(without, based_on=1, note="", activate=True, by="root")
    assert "the flow main" in refused.value.problems[0].message


async def test_a_queue_that_is_measured_cannot_be_taken_away_for_the_next_start_would_fail(house: House) -> None:
    (house.config / "metrics.yaml").write_text("queues:\n  billing: {threshold_s: 30}\n")
    without = Texts("queues:\n  - name: sales\n", AGENTS)
    problems, _ = await house.side.check(without)
    assert [(one.file, one.key) for one in problems] == [("queues.yaml", "queues")]
    assert "metrics.yaml: queues.billing" in problems[0].message
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("music: jazz", "queues[1].music"),
        ("comfort: {prompt: jazz, every_s: 60}", "queues[1].comfort.prompt"),
        ("overflow: [{when: no_agents, to: {flow: away}}]", "queues[1].overflow[0].to"),
    ],
)
async def test_what_is_not_there_to_play_or_to_lead_to_is_a_mistake_for_the_next_start_would_fail(
    house: House, line: str, key: str
) -> None:
    problems, _ = await house.side.check(Texts(f"{QUEUES}    {line}\n", AGENTS))
    assert [(one.file, one.key) for one in problems] == [("queues.yaml", key)]


async def test_the_active_version_holds_after_a_restart_before_the_database_answers(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    house.starts()
    assert house.live.site.roster == checked(SKILLED)
    await house.side.opened()
    assert house.live.site.roster == checked(SKILLED)
    assert len(await house.numbers()) == 2


async def test_changed_files_become_a_version_and_hold_at_the_next_start(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    edited = Texts(QUEUES + "  - name: support\n", AGENTS)
    house.write(edited)
    house.starts()
    assert house.live.site.roster == checked(edited)
    await house.side.opened()
    assert await house.numbers() == [(3, "files", True), (2, "root", False), (1, "files", False)]
    assert "+  - name: support" in (await house.side.show(3)).diff
    # Looked at once: going back is not undone by the next start.
    await house.side.activate(2, active=3, by="root")
    house.starts()
    await house.side.opened()
    assert (await house.side.show(None)).view.number == 2


async def test_what_was_kept_is_made_anew_from_the_database(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    (house.data / KEPT).write_text("not json")
    house.starts()
    assert house.live.site.roster == checked(Texts(QUEUES, AGENTS))
    house.a_caller_waits_and_ann_is_free()
    await house.side.opened()
    assert house.live.site.roster == checked(SKILLED)
    assert house.offered() == [("c1", "ann")]
    kept = kept_policy(house.data)
    assert kept is not None
    assert kept.number == 2


async def test_an_active_version_that_this_release_cannot_read_keeps_nothing_from_opening(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    async with house.site.session() as session:
        await session.execute(update(PolicyVersion).where(PolicyVersion.number == 2).values(queues="queues: 7"))
    (house.data / KEPT).unlink()
    house.starts()
    await house.side.opened()
    assert house.live.site.roster == checked(Texts(QUEUES, AGENTS))
    assert "the active policy cannot be read by this version of the program, config/ holds" in caplog.messages
    back = await house.side.activate(1, active=2, by="root")
    assert back.view.is_active


async def test_changed_files_with_mistakes_do_not_start(house: House) -> None:
    house.write(Texts("queues: 7", AGENTS))
    with pytest.raises(ConfigError, match="queues"):
        house.starts()


async def test_who_changed_what_is_in_the_audit_trail(house: House) -> None:
    await house.side.save(SKILLED, based_on=1, note="", activate=True, by="root")
    await house.side.activate(1, active=2, by="sue")
    async with house.site.reading() as session:
        rows = await session.execute(select(AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.data))
        assert [tuple(row) for row in rows] == [
            ("files", "policy.activated", "policy 1", {"before": None}),
            ("root", "policy.saved", "policy 2", {"before": 1}),
            ("root", "policy.activated", "policy 2", {"before": 1}),
            ("sue", "policy.activated", "policy 1", {"before": 2}),
        ]


async def test_a_version_that_is_none_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        await house.side.show(7)
    with pytest.raises(NotFound):
        await house.side.activate(7, active=1, by="root")


def test_the_sample_site_may_be_saved_as_it_is() -> None:
    """Its flows have nodes that name no queue, and mean the one that the caller is in."""
    site = load_site(Path("config"), language="en")
    assert missing_queues(site.flows, site.roster) == []


async def test_an_agent_whose_phone_is_none_is_named_and_not_saved(house: House) -> None:
    text = Texts(QUEUES, AGENTS.replace("1001", "9999"))
    with pytest.raises(PolicyInvalid) as refused:
        await house.side.save(text, based_on=1, note="", activate=True, by="root")
    (problem,) = refused.value.problems
    assert (problem.file, problem.key, problem.message) == (
        "agents.yaml",
        "agents[0].phone",
        "phones.yaml has no phone '9999'",
    )


def test_a_site_whose_agent_has_no_phone_does_not_start(tmp_path: Path) -> None:
    folder = shutil.copytree("config", tmp_path / "config")
    phones = folder / "phones.yaml"
    phones.write_text(phones.read_text().replace('"1003"', '"1009"'))
    with pytest.raises(ConfigError, match=r"^agents\.yaml: agents\[2\]\.phone: phones\.yaml has no phone '1003'$"):
        load_site(folder, language="en")


def test_a_site_whose_policy_in_force_has_lost_a_phone_starts_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only a server that runs can be told another policy."""
    folder = shutil.copytree("config", tmp_path / "config")
    active = load_roster(folder)
    phones = folder / "phones.yaml"
    phones.write_text(phones.read_text().replace('"1003"', '"1009"'))
    site = load_site(folder, language="en", active=active)
    assert site.faults == ["agents.yaml: agents[2].phone: phones.yaml has no phone '1003'"]
    assert "the policy in force names what config/ has not: see the status" in caplog.messages
    assert directory_of(site, {}, "callcenter").phones


@pytest.mark.parametrize(("announcement", "recorded"), [("lost", False), ("welcome", True), (None, True)])
def test_what_cannot_be_announced_is_not_recorded(announcement: str | None, recorded: bool) -> None:
    files = load_roster(Path("config"))
    queue = replace(files.queues[0], record=True, announcement=announcement)
    active = replace(files, queues=(queue, *files.queues[1:]))
    site = load_site(Path("config"), language="en", active=active)
    assert site.queue_care(queue.name, "en").record is recorded
