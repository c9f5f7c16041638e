"""The scenes of the kill matrix: a crowd, one death at a seeded instant, and all that must hold afterwards."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults import verdict
from tests.faults.crowd import Crowd, Parties, Prober, QuickCalls
from tests.faults.kill_site import KillSite
from tests.faults.verdict import Facts
from tests.faults.wire import Wire
from tests.support.server import Document, eventually

# What is going on at these seconds of a crowd: everybody arrives, everybody talks, hangs up or is answered.
ARRIVING, TALKING, LEAVING = (0.2, 3.0), (4.5, 8.5), (9.5, 14.5)
RESTART_S = 2.0
WORK_BEGINS_S = 9.5
GAP_GOAL_S = 0.060
CONSISTENT_S = 10.0
API_S = 8.0


@dataclass
class Report:
    """What was measured, in seconds."""

    seed: int
    at: float
    restart: float = 0.0
    withheld: float = 0.0
    gap: float = 0.0
    said_gap: float = 0.0
    stall: float = 0.0
    talking: int = 0
    silence: float = 0.0
    recordings: int = 0
    rung: int = 0
    lost: int = 0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: killed at {self.at:.2f} s; OPTIONS answered after {self.restart * 1000:.0f} ms "
            f"({self.withheld * 1000:.0f} ms of it waiting for a processor); "
            f"{self.talking} talking, largest gap {self.gap * 1000:.0f} ms "
            f"(their own {self.said_gap * 1000:.0f} ms, the machine's {self.stall * 1000:.0f} ms); "
            f"longest silence of the others {self.silence:.2f} s; {self.recordings} recordings, {self.rung} legs rung"
            + (f"; {self.lost} calls lost with their worker" if self.lost else "")
        )


@dataclass
class SetupReport:
    """What became of the callers, and how long each restart took (seconds)."""

    seed: int
    restarts: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        restarts = ", ".join(f"{each * 1000:.0f}" for each in self.restarts)
        return f"seed {self.seed}: OPTIONS answered after {restarts} ms; callers: {dict(self.outcomes)}"


def instant(seed: int) -> float:
    """When the seed kills: a third of them each while callers arrive, talk and leave."""
    chance = random.Random(seed)
    return chance.uniform(*(ARRIVING, TALKING, LEAVING)[seed % 3])


def kill_application(site: KillSite) -> float:
    """SIGKILL; epoch seconds."""
    pid, _ = site.server.application()
    os.kill(pid, signal.SIGKILL)
    return time.time()


def application_killed(site: KillSite, folder: Path, seed: int, *, at: float | None = None) -> Report:
    """Scene 1: the crowd, and the application killed at the seed's instant."""
    report = Report(seed, instant(seed) if at is None else at)
    position = verdict.journal_position(site.server.data)
    with Prober(site.server.sip) as prober, Crowd(site, folder, seed) as crowd:
        crowd.until(report.at)
        before = verdict.entries(site.server.data)
        killed = kill_application(site)
        _answers_again(site, prober, killed, report)
        _work_goes_on(site, crowd, killed, before)
        crowd.wait()
        verdict.everything_over(site.server.data)
    judge(gather(site, crowd, position), report, killed)
    _as_before(site)
    assert report.restart - report.withheld < RESTART_S, str(report)
    return report


def worker_killed(site: KillSite, folder: Path, seed: int, *, at: float | None = None) -> Report:
    """Scene 2: one of the two media workers killed; its calls end so, the other's know nothing of it."""
    report = Report(seed, instant(seed) if at is None else at)
    data = site.server.data
    position = verdict.journal_position(data)
    with Prober(site.server.sip) as prober, Crowd(site, folder, seed) as crowd:
        crowd.until(report.at)
        names = {name: pid for name, pid in site.server.pids().items() if name != "application"}
        victim = sorted(names)[seed % len(names)]
        killed = time.time()
        os.kill(names[victim], signal.SIGKILL)
        new = eventually("a new worker is attached", lambda: _others(site, names.keys()), within_s=30)
        crowd.until(WORK_BEGINS_S)
        site.set_state("wait1", "available")
        crowd.end()
        verdict.everything_over(data)
        report.restart = prober.first_after(killed) - killed
    facts = gather(site, crowd, position)
    lost = verdict.contacts_on(facts, victim, killed)
    judge(facts, report, killed, lost)
    report.lost = len(lost)
    _new_calls_go_to(site, folder, seed, new)
    _as_before(site)
    return report


def supervisor_killed(site: KillSite, folder: Path, seed: int, *, at: float | None = None) -> Report:
    """Scene 3: the supervisor killed, alone, with the application, or with all but one worker; and started again."""
    report = Report(seed, instant(seed) if at is None else at)
    data = site.server.data
    position = verdict.journal_position(data)
    with Prober(site.server.sip) as prober, Crowd(site, folder, seed) as crowd:
        crowd.until(report.at)
        before = verdict.entries(data)
        application, epoch = site.server.application()
        pids = site.server.pids()
        victims = [site.server.supervisor_pid]
        if seed % 3:
            victims.append(application)
        lost_worker = ""
        if seed % 3 == 2:
            lost_worker = min(pids.keys() - {"application"})
            victims.append(pids[lost_worker])
        killed = time.time()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        site.server.forget_process()
        if not seed % 3:
            eventually("the application has gone by itself", lambda: not _runs(application), within_s=2.0)
        site.server.start()
        site.server.wait_ready(after_epoch=epoch)
        kept = {name: pid for name, pid in pids.items() if name not in ("application", lost_worker)}
        assert kept.items() <= site.server.pids().items(), "a worker did not live on"
        _work_goes_on(site, crowd, killed, before)
        crowd.end()
        verdict.everything_over(data)
        report.restart = prober.first_after(killed) - killed
    facts = gather(site, crowd, position)
    lost = verdict.contacts_on(facts, lost_worker, killed)
    report.lost = len(lost)
    judge(facts, report, killed, lost)
    _as_before(site)
    return report


def killed_in_setup(site: KillSite, folder: Path, seed: int, *, kills: int = 3, calls: int = 160) -> SetupReport:
    """Scene 5: ten short calls a second, the application killed at random instants; every outcome has its reason."""
    chance = random.Random(seed)
    report = SetupReport(seed)
    data = site.server.data
    position = verdict.journal_position(data)
    with Prober(site.server.sip) as prober, QuickCalls(site, folder, seed, count=calls) as crowd:
        for number in range(kills):
            crowd.until(1.0 + 4.5 * number + chance.uniform(0.0, 2.0))
            site.server.wait_ready()
            moment = kill_application(site)
            eventually("OPTIONS are answered", partial(prober.answered_after, moment), within_s=30)
            report.restarts.append(prober.first_after(moment) - moment)
        crowd.end()
        verdict.everything_over(data)
    facts = gather(site, crowd, position)
    verdict.each_call_has_one_record(facts)
    report.outcomes = verdict.every_outcome_has_its_reason(facts)
    verdict.nothing_rang_twice(facts)
    assert site.get("/api/status").json()["surprises"] == 0
    verdict.logs_are_clean(data / "log")
    return report


def database_away(
    site: KillSite, folder: Path, seed: int, away: Callable[[], None], back: Callable[[], None]
) -> Report:
    """Scene 4: the site database goes while callers arrive, the application dies meanwhile, the database is back."""
    report = Report(seed, 1.0)
    data = site.server.data
    position = verdict.journal_position(data)
    site.set_state("wait1", "available")
    with Prober(site.server.sip) as prober, Crowd(site, folder, seed, talk_s=5.0, ring_s=3.0) as crowd:
        crowd.until(report.at)
        away()
        crowd.until(3.0)
        status, took = site.status_of("/api/calls")
        assert (status, took < API_S) == (503, True), f"GET answered {status} after {took:.1f} s"
        killed = kill_application(site)
        _answers_again(site, prober, killed, report)
        crowd.wait()
        verdict.everything_over(data)
    site.register()  # the passwords are in memory and on disk
    back()
    judge(gather(site, crowd, position), report, killed)
    _as_before(site)
    assert report.restart - report.withheld < RESTART_S, str(report)
    return report


def _answers_again(site: KillSite, prober: Prober, killed: float, report: Report) -> None:
    """Wait for the first OPTIONS that is answered; how long it took, and how long the new process was withheld."""
    eventually("OPTIONS are answered", partial(prober.answered_after, killed), within_s=30)
    report.restart = prober.first_after(killed) - killed
    pid = site.server.pids().get("application")
    if pid is not None:
        report.withheld = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _others(site: KillSite, known: Collection[str]) -> set[str]:
    """The workers that the application is attached to beside those that were `known`."""
    return {worker["name"] for worker in site.get("/api/status").json()["workers"]} - set(known)


def _new_calls_go_to(site: KillSite, folder: Path, seed: int, new: set[str]) -> None:
    """A call that comes now gets its sound from a new worker, the least loaded one, and goes well."""
    position = verdict.journal_position(site.server.data)
    with QuickCalls(site, folder / "new", seed, count=4) as calls:
        calls.wait()
    verdict.everything_over(site.server.data)
    opened = [e for e in verdict.events_since(site.server.data, position) if e.type == "calls.media.opened"]
    assert new & {str(event.data["worker"]) for event in opened}, "no call went to the new worker"


def _work_goes_on(site: KillSite, crowd: Crowd, killed: float, before: dict[str, object]) -> None:
    """After the kill: entries are as they were, the agent for those who wait comes, nobody is stuck after 10 s."""
    site.get("/api/health")
    after = verdict.entries(site.server.data)
    changed = {entry for entry in before.keys() & after.keys() if before[entry] != after[entry]}
    assert not changed, "enqueued_at changed"
    crowd.until(WORK_BEGINS_S)
    site.set_state("wait1", "available")
    time.sleep(max(0.0, killed + CONSISTENT_S - time.time()))
    # Calls go on meanwhile: one may end, or begin, between the two questions.
    live = verdict.live_contacts(site.server.data)
    agents = site.agents()
    verdict.agents_are_where_their_calls_are(agents, live | verdict.live_contacts(site.server.data))


def gather(site: KillSite, crowd: Parties, position: int) -> Facts:
    """Everything about the run since `position`."""
    events = verdict.events_since(site.server.data, position)
    contacts = {event.subject for event in events if event.type == "calls.contact.received"}

    def projected() -> list[Document]:
        records = [each for each in site.records() if each["contact"] in contacts and each["result"] != "open"]
        return records if len(records) >= len(contacts) else []

    records = eventually("all records are projected", projected, within_s=40)
    wire = Wire(crowd.packets(), site.server.sip)
    return Facts(wire, events, records, crowd.kind_of, site.server.data / "recordings", crowd.witness.longest)


def judge(facts: Facts, report: Report, killed: float, lost: Collection[str] = ()) -> None:
    """All that must hold whatever was killed; `lost` are the contacts of a killed worker."""
    verdict.each_call_has_one_record(facts)
    verdict.each_call_went_as_without_the_kill(facts, lost)
    gap, said, talking = verdict.talking_gap(facts, killed - 0.2, killed + 4.0, lost)
    report.gap, report.said_gap, report.talking = gap, said, talking
    report.silence = verdict.nobody_sits_in_silence(facts, killed)
    report.recordings = verdict.recordings_play(facts)
    report.rung = verdict.nothing_rang_twice(facts)
    verdict.queue_kept_its_order(facts, "wait")
    # Clients and server share a machine: what the speakers left out themselves, and the time that a worker waited for
    # a processor, are not the server's gap.
    report.stall = facts.stall(killed - 0.2, killed + 4.0)
    assert report.gap <= GAP_GOAL_S + max(report.said_gap - 0.02, 0.0) + report.stall, str(report)


def _as_before(site: KillSite) -> None:
    """Every agent is available, nothing was caught at an edge, no log has a traceback."""
    eventually(
        "every agent is available",
        lambda: all(agent["state"] == "available" and agent["contact"] is None for agent in site.agents()),
        within_s=30,
    )
    site.set_state("wait1", "not_ready")
    assert site.get("/api/status").json()["surprises"] == 0
    verdict.logs_are_clean(site.server.data / "log")
