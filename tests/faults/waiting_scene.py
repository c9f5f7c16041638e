"""The application killed while callers wait: order, waits and timers are afterwards as they were (acd.md section 2).

What stood is read from the rows that the dead process left, before the next one has begun, and from the API a moment
earlier. Afterwards nothing differs but what fell due meanwhile and the offer that rang; and all that was due comes.
"""

import json
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from callcenter.kernel.events import Envelope
from tests.faults import verdict
from tests.faults.verdict import Facts
from tests.faults.waiting_crowd import EACH, WaitingCrowd
from tests.faults.waiting_site import QUEUES, SERVERS, WaitingSite
from tests.faults.wire import Wire
from tests.support.processor import waited_s
from tests.support.server import Document, Server, eventually

KINDS = ("agent", "entry", "offer", "care", "estimate", "callback")
DUE = {"agent": ("until", "rests_until"), "offer": ("ring_until",), "care": ("announce_at", "comfort_at", "leave_at")}
# How late what fell due may come, once the application is there again, beside the time that it waits for a processor.
LATE_S = 3.0
Rows = dict[tuple[str, str], Document]


@dataclass
class WaitingReport:
    """What was measured, in seconds."""

    seed: int
    at: float
    down: float = 0.0
    compared: int = 0
    due: Counter[str] = field(default_factory=Counter)
    second: float = 0.0

    def __str__(self) -> str:
        again = f", again {self.second:.2f} s into the service" if self.second else ""
        return (
            f"seed {self.seed}: killed {self.at:.2f} s after the offer{again}; "
            f"ready after {self.down:.2f} s; {self.compared} rows as they were; "
            f"due meanwhile: {dict(self.due)}"
        )


@dataclass
class Death:
    """One kill: what the dead process left, and what the next one made of it. Epoch seconds."""

    at: float
    ready: float
    before: Rows
    after: Rows


def waiting_killed(site: WaitingSite, folder: Path, seed: int, *, again: bool = False) -> WaitingReport:
    """All stand; the application dies at the seed's instant, with `again` once more while they are served."""
    chance = random.Random(seed * 31)
    report = WaitingReport(seed, chance.uniform(0.0, 4.0))
    position = verdict.journal_position(site.server.data)
    with WaitingCrowd(site, folder, seed) as crowd:
        crowd.stage()
        stood = site.entries()
        pausing = site.agents()["lunch"]
        crowd.rings()
        time.sleep(report.at)
        death = kill(site.server)
        rang = next(entry["id"] for entry in stood if entry["queue"] == "gold")
        report.down = death.ready - death.at
        thirty_wait(death)
        nothing_changed(death, rang, report)
        who_waits_on_waits_as_before(death)
        _as_the_api_had_it(site, stood, rang)
        assert site.agents()["lunch"] == pausing, "the pause"
        what_was_due_comes(site, death, position)
        crowd.talker_is_done()
        _served(site, crowd, chance if again else None, report)
        _agents_ended_as_they_wished(site)
        site.everything_over()
    _all_accounted_for(site, crowd, position, stood, rang)
    return report


def kill(server: Server) -> Death:
    """SIGKILL; what stood, and what stands once the next application is ready."""
    pid, epoch = server.application()
    # Who starts the next one waits until the dead one's rows have been read.
    os.kill(server.supervisor_pid, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        at = time.time()
        eventually("it is dead", lambda: not _runs(pid), every_s=0.005)
        before = rows(server.data)
        assert _epoch(server.data) == epoch, "the next application has begun already"
    finally:
        os.kill(server.supervisor_pid, signal.SIGCONT)
    server.wait_ready(after_epoch=epoch)
    return Death(at, time.time(), before, rows(server.data))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _opened(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{data / 'live.db'}?mode=rw", uri=True, timeout=5)


def _epoch(data: Path) -> int:
    with closing(_opened(data)) as database:
        (epoch,) = database.execute("SELECT epoch FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return int(epoch)


def rows(data: Path) -> Rows:
    """The state rows of the distributor and of the callbacks."""
    with closing(_opened(data)) as database:
        found = database.execute("SELECT kind, id, blob FROM live_state").fetchall()
    return {(kind, id_): json.loads(blob) for kind, id_, blob in found if kind in KINDS}


# -- what stood ----------------------------------------------------------------------------------------------------


def moment(text: str) -> float:
    """Epoch seconds of an instant in a row."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _deadline(kind: str, row: Document) -> float | None:
    """The first instant at which this row changes by itself."""
    found = [row[key] for key in DUE.get(kind, ()) if row.get(key)]
    if kind == "entry":
        found += [row["stage"]["until"]] if row.get("stage") and row["stage"].get("until") else []
        found += [row["leave_at"]] if row.get("leave_at") else []
    return min(map(moment, found), default=None)


def thirty_wait(death: Death) -> None:
    """The scene is what it is to be: ten and a callback in each queue (one may just have been answered)."""
    lines = Counter(row["queue"] for (kind, _), row in death.before.items() if kind == "entry")
    assert {queue: lines[queue] >= EACH for queue in QUEUES} == dict.fromkeys(QUEUES, True), lines
    agents = {id_: row for (kind, id_), row in death.before.items() if kind == "agent"}
    wrapping = {agents[name]["state"] for name in ("wrap_break", "wrap_open")}
    assert wrapping == {"wrap_up"}, wrapping
    wishes = {name: agents[name]["next"]["reason"] for name in ("wrap_break", "talk")}
    assert wishes == {"wrap_break": "break", "talk": "break"}, wishes


def nothing_changed(death: Death, rang: str, report: WaitingReport) -> None:
    """No row differs but those of the offer that rang and those that fell due before the comparison."""
    stirred = _of_the_offer(death.before, rang)
    now = time.time()
    for (kind, id_), row in death.before.items():
        deadline = _deadline(kind, row)
        if deadline is not None and deadline <= now:
            report.due[kind] += 1
            stirred |= {(kind, id_)}
            if row.get("leave_at") and moment(row["leave_at"]) <= now:
                stirred |= {("entry", id_), ("estimate", "late")}
    for key, row in death.before.items():
        if key not in stirred:
            assert death.after.get(key) == row, f"{key}: {row} became {death.after.get(key)}"
            report.compared += 1
    appeared = death.after.keys() - death.before.keys() - stirred
    assert not appeared, f"appeared: {appeared}"


def _of_the_offer(before: Rows, rang: str) -> set[tuple[str, str]]:
    """What the one offer, and its answer, may change. A queue that somebody leaves has learned from it."""
    offers = {id_ for (kind, id_) in before if kind == "offer"} | {f"{rang}-o1"}
    return {("entry", rang), ("care", rang), ("agent", "ring"), ("estimate", "gold")} | {
        ("offer", id_) for id_ in offers
    }


def who_waits_on_waits_as_before(death: Death) -> None:
    """While others are served: time, place and terms of those who still wait are what they were."""
    both = {key for key in death.before.keys() & death.after.keys() if key[0] == "entry"}
    for key in both:
        before, after = death.before[key], death.after[key]
        changing = ("state", "offer", "offers", "also", "excluded", "stage")
        for name in before.keys() - set(changing):
            assert after[name] == before[name], f"{key}: {name} {before[name]} became {after[name]}"
    moved = sorted(death.after.keys() - death.before.keys())
    assert not [key for key in moved if key[0] == "entry"], f"appeared: {moved}"


def _as_the_api_had_it(site: WaitingSite, before: list[Document], rang: str) -> None:
    """Who waits, in which order, since when, with which priority: as before."""
    now = site.entries()
    left = {entry["id"] for entry in now}
    keys = ("id", "contact", "queue", "priority", "since", "callback")

    def line(entries: list[Document]) -> list[tuple[object, ...]]:
        return [tuple(e[key] for key in keys) for e in entries if e["queue"] in QUEUES and e["id"] in left - {rang}]

    assert line(now) == line(before), "the order changed"
    missing = {e["id"] for e in before if e["queue"] in QUEUES} - left - {rang}
    assert not missing, f"lost their place: {missing}"


def what_was_due_comes(site: WaitingSite, death: Death, position: int) -> None:
    """Wrap-ups end, words are said, rings widen and time runs out: each at its instant, or as soon as it can be."""
    seen: list[Envelope] = []

    def come(kind: str, id_: str, row: Document) -> Envelope | None:
        for event in seen:
            if _is_due_of(kind, id_, row, event):
                return event
        return None

    owed = [
        (kind, id_, row)
        for (kind, id_), row in death.before.items()
        if (deadline := _deadline(kind, row)) is not None
        and kind in ("agent", "care", "entry")
        and deadline < death.ready + 10
        and row.get("state") not in ("offered",)
    ]
    still = {id_ for (kind, id_) in death.before if kind == "entry"}

    def all_come() -> bool:
        seen[:] = verdict.events_since(site.server.data, position)
        return all(come(*each) or _left(each[1], seen) for each in owed if each[0] == "agent" or each[1] in still)

    eventually("all that was due has come", all_come, within_s=30)
    late_s = LATE_S + waited_s([site.server.application()[0]])
    for kind, id_, row in owed:
        event, deadline = come(kind, id_, row), _deadline(kind, row)
        if event is None or deadline is None:
            continue
        at = event.at.timestamp()
        assert deadline - 0.001 <= at, f"{event.type} of {kind} {id_} {deadline - at:.3f} s too early"
        limit = max(deadline, death.ready) + late_s
        assert at <= limit, f"{event.type} of {kind} {id_} {at - limit:.3f} s too late"


def _left(entry: str, events: list[Envelope]) -> bool:
    ends = ("acd.entry.answered", "acd.entry.abandoned", "acd.entry.ended", "acd.offer.created")
    return any(event.type in ends and event.data["entry"] == entry for event in events)


def _is_due_of(kind: str, id_: str, row: Document, event: Envelope) -> bool:
    match kind:
        case "agent":
            ended = event.type == "acd.agent.state_changed" and event.subject == id_
            return ended and event.data["state"] != "wrap_up" and event.at.timestamp() > moment(row["since"]) + 0.0005
        case "care":
            types = ("acd.entry.announced", "acd.entry.ended")
            return event.type in types and event.data["entry"] == id_
        case _:
            return event.type == "acd.entry.widened" and event.data["entry"] == id_


# -- everybody is served -------------------------------------------------------------------------------------------


def _served(site: WaitingSite, crowd: WaitingCrowd, again: random.Random | None, report: WaitingReport) -> None:
    """Agents come; every caller is answered and let go; with `again` the application dies once more meanwhile."""
    for agent in SERVERS:
        site.set_state(agent, "available")
    if again is not None:
        report.second = again.uniform(0.05, 1.5)
        time.sleep(report.second)
        who_waits_on_waits_as_before(kill(site.server))
    crowd.all_served()
    eventually("nobody is left to be called back", lambda: not site.ask("/api/callbacks")["callbacks"], within_s=30)


def _agents_ended_as_they_wished(site: WaitingSite) -> None:
    site.becomes("wrap_break", "not_ready")
    site.becomes("talk", "not_ready")
    agents = site.agents()
    assert [agents[name]["reason"] for name in ("wrap_break", "talk", "lunch")] == ["break", "break", "lunch"]
    assert (agents["wrap_open"]["state"], agents["wrap_open"]["until"]) == ("wrap_up", None)
    assert agents["wrap_short"]["state"] == "available"
    assert (agents["ring"]["state"], agents["ring"]["reason"]) == ("not_ready", "break")


def _all_accounted_for(
    site: WaitingSite, crowd: WaitingCrowd, position: int, stood: list[Document], rang: str
) -> None:
    """Each entry ended once, in its order; each caller has one record with the wait that he had."""
    events = verdict.events_since(site.server.data, position)
    ends = Counter(
        str(event.data["entry"])
        for event in events
        if event.type in ("acd.entry.answered", "acd.entry.abandoned", "acd.entry.ended")
    )
    queued = Counter(str(event.data["entry"]) for event in events if event.type == "acd.entry.queued")
    assert set(queued.values()) == {1}
    assert ends == queued, f"ended otherwise than once: {ends - queued} {queued - ends}"
    announced = Counter(str(event.data["entry"]) for event in events if event.type == "acd.entry.announced")
    assert set(announced.values()) <= {1}, "a position was told twice"
    _in_order(events, stood, rang)
    _waits(events, stood)
    _records(site, crowd, events)
    assert site.ask("/api/status")["surprises"] == 0
    verdict.logs_are_clean(site.server.data / "log")


def _in_order(events: list[Envelope], stood: list[Document], rang: str) -> None:
    for queue in QUEUES:
        line = [entry["id"] for entry in stood if entry["queue"] == queue and entry["id"] != rang]
        offered = [str(e.data["entry"]) for e in events if e.type == "acd.offer.created" and e.data["queue"] == queue]
        firsts = [entry for entry in dict.fromkeys(offered) if entry != rang]
        assert firsts == line, f"{queue}: offered {firsts}, in line {line}"


def _waits(events: list[Envelope], stood: list[Document]) -> None:
    since: Mapping[str, float] = {entry["id"]: moment(entry["since"]) for entry in stood}
    for event in events:
        if event.type == "acd.entry.answered" and event.data["entry"] in since:
            waited = event.at.timestamp() - since[str(event.data["entry"])]
            told = float(str(event.data["wait_ms"])) / 1000
            assert abs(waited - told) < 0.0015, f"waited {waited:.3f} s, was said to have waited {told:.3f} s"


def _records(site: WaitingSite, crowd: WaitingCrowd, events: list[Envelope]) -> None:
    contacts = {event.subject for event in events if event.type == "calls.contact.received"}
    records = site.records(contacts)
    facts = Facts(Wire(crowd.wire.packets(), site.server.sip), events, records, {}, site.server.data)
    verdict.nothing_rang_twice(facts)
    by_caller = Counter(str(record["caller"]) for record in records)
    for _, number in crowd.waiting:
        mine = [(r["direction"], r["result"]) for r in records if r["caller"] == number]
        assert mine == [("inbound", "answered")], f"{number}: {mine}"
    for _, number in crowd.asking:
        back = [r["result"] for r in records if r["direction"] == "outbound" and number in (r["caller"], r["called"])]
        assert back.count("answered") == 1, f"{number} was called back: {back}"
    assert by_caller[crowd.late] == 1
