"""How the queues do, for people and for monitoring: the distributor's moment beside the facts of the database."""

import asyncio
import hmac
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.app.live import LiveSide
from callcenter.app.monitoring import EventMeter, by, family, one
from callcenter.app.queue_terms import SiteTerms
from callcenter.app.site_secrets import monitor_token
from callcenter.console.metric_ports import FactKind, Row
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site
from callcenter.reporting.interval_queries import Totals, Which, interval_facts, totals
from callcenter.reporting.interval_render import as_csv, as_rows, counts, figures
from callcenter.reporting.intervals import Facts
from callcenter.reporting.live_values import LineNow, alarms_of, lines_now
from callcenter.reporting.measures import Measures
from callcenter.reporting.metrics import SERVICE_LEVELS
from callcenter.reporting.render import plain
from callcenter.reporting.service import day_of


class QueueMetrics:
    """Implements `console.metric_ports.Metrics`. Belongs to the loop."""

    def __init__(
        self, site: Site, live: LiveSide, terms: SiteTerms, *, zone: str, data: Path, projector: ProjectorThread
    ) -> None:
        self._site = site
        self._live = live
        self._terms = terms
        self._zone = zone
        self._token = monitor_token(data)
        self._projector = projector
        callbacks = (entry.id for entry in live.acd.core.entries.values() if entry.is_callback)
        self._meter = EventMeter(callbacks=set(callbacks))
        live.bus.subscribe(self._meter.publish)

    # -- facts ----------------------------------------------------------------------------------------------------

    async def intervals(self, day: date | None, kind: FactKind | None, name: str | None) -> Sequence[Row]:
        """The quarter hours of `day`. Raises SiteUnavailable."""
        facts = await self._facts(day, kind, name)
        return await asyncio.to_thread(as_rows, facts, self._zone)

    async def intervals_csv(self, day: date | None, kind: FactKind | None, name: str | None) -> str:
        """The same as CSV."""
        facts = await self._facts(day, kind, name)
        return await asyncio.to_thread(as_csv, facts, self._zone)

    async def _facts(self, day: date | None, kind: FactKind | None, name: str | None) -> Facts:
        since, until = day_of(day or self._today(), self._zone)
        return await interval_facts(self._site, Which(since, until, kind, name), now=self._live.clock.now())

    def _today(self) -> date:
        return self._live.clock.wall().astimezone(ZoneInfo(self._zone)).date()

    # -- now ------------------------------------------------------------------------------------------------------

    async def live(self) -> Row:
        """Now and the day so far. Raises SiteUnavailable."""
        since, until = day_of(self._today(), self._zone)
        today = await totals(self._site, since, until, now=self._live.clock.now())
        queues, skills, agents = self._queues(), self._skills(), self._agents()
        head = {
            "at": plain(self._live.clock.wall()),
            "since": plain(since),
            "variants": list(SERVICE_LEVELS),
        }

        def rows() -> Row:
            return {
                **head,
                "queues": [self._queue(line, today) for line in queues],
                "skills": [_line(line, today.get(("skill", line.name), Measures())) for line in skills],
                "agents": [
                    {**agent, "today": _day(today.get(("agent", str(agent["name"])), Measures()))} for agent in agents
                ],
            }

        # A thousand agents take longer than the loop has between two calls.
        return await asyncio.to_thread(rows)

    def _queue(self, line: LineNow, today: Totals) -> Row:
        terms, of_day = self._terms.of(line.name), today.get(("queue", line.name), Measures())
        return {
            **_line(line, of_day),
            "threshold_s": terms.threshold_s,
            "target": terms.target,
            "variant": terms.variant,
            "longest_wait_alarm_s": terms.longest_wait_alarm_s,
            "waiting_alarm": terms.waiting_alarm,
            "alarms": list(alarms_of(terms, line, of_day)),
        }

    def _queues(self) -> list[LineNow]:
        core, members = self._live.acd.core, self._terms.members()
        states = (
            (queue, agent.state)
            for agent in core.agents.values()
            if agent.state != "logged_out"
            for queue in members.get(agent.id, ())
        )
        return self._lines((queue.name for queue in core.policy.queues), lambda queue: (queue,), states)

    def _skills(self) -> list[LineNow]:
        core = self._live.acd.core
        asked = {queue.name: self._terms.skills(queue.name) for queue in core.policy.queues}
        known = {agent.id: [skill for skill, _ in agent.skills] for agent in core.policy.agents}
        states = (
            (skill, agent.state)
            for agent in core.agents.values()
            if agent.state != "logged_out"
            for skill in known.get(agent.id, ())
        )
        names = chain(*asked.values(), *known.values())
        return self._lines(names, lambda queue: asked.get(queue, ()), states)

    def _lines(
        self, names: Iterable[str], lines_of: Callable[[str], Iterable[str]], states: Iterable[tuple[str, str]]
    ) -> list[LineNow]:
        """`lines_of` names the lines that count the entries of a queue."""
        entries = tuple(self._live.acd.core.entries.values())
        return lines_now(
            names,
            (
                (name, entry.enqueued_at)
                for entry in entries
                if not entry.is_callback
                for name in lines_of(entry.queue)
            ),
            states,
            self._live.clock.now(),
            callbacks=(name for entry in entries if entry.is_callback for name in lines_of(entry.queue)),
        )

    def _agents(self) -> list[dict[str, object]]:
        core, members = self._live.acd.core, self._terms.members()
        rows: list[dict[str, object]] = []
        for known in sorted(core.policy.agents, key=lambda one: one.id):
            agent = core.agents.get(known.id)
            rows.append(
                {
                    "name": known.id,
                    "state": "logged_out" if agent is None else agent.state,
                    "reason": None if agent is None else agent.reason,
                    "since": None if agent is None else plain(agent.since),
                    "queues": sorted(members.get(known.id, ())),
                }
            )
        return rows

    # -- monitoring -----------------------------------------------------------------------------------------------

    def is_monitor(self, token: str) -> bool:
        """Whether `token` is the one in the data folder."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    def exposition(self) -> str:
        """All families, of the moment and since the start. No question to the site database: it may be away."""
        live, projected = self._live, self._projector.status
        lines = list(self._queues())
        states: dict[str, float] = {}
        for agent in live.acd.core.agents.values():
            states[agent.state] = states.get(agent.state, 0) + 1
        alarms = {line.name: len(alarms_of(self._terms.of(line.name), line, Measures())) for line in lines}
        sessions = {worker.name: worker.sessions for worker in live.media.workers()}
        lag_s = live.journal.lag_s(live.clock.now())
        families = (
            family("queue_waiting", "gauge", "Callers who wait.", by("queue", {x.name: x.waiting for x in lines})),
            family(
                "queue_longest_wait_seconds",
                "gauge",
                "Wait of the oldest caller who waits, 0 without.",
                by("queue", {x.name: (x.longest_wait_ms or 0) / 1000 for x in lines}),
            ),
            family(
                "queue_callbacks",
                "gauge",
                "Customers who are to be called back.",
                by("queue", {x.name: x.callbacks for x in lines}),
            ),
            family(
                "queue_agents_available",
                "gauge",
                "Available agents who serve the queue.",
                by("queue", {x.name: x.agents.get("available", 0) for x in lines}),
            ),
            family("queue_alarms", "gauge", "Limits of the moment that are passed.", by("queue", alarms)),
            family("agents", "gauge", "Agents by state.", by("state", states)),
            family("calls", "gauge", "Calls that are up.", one(len(live.calls.contacts))),
            family("media_sessions", "gauge", "Sessions of each media worker.", by("worker", sessions)),
            family("journal_lag_seconds", "gauge", "Age of the oldest fact not on disk.", one(round(lag_s, 3))),
            family(
                "projector_behind_events",
                "gauge",
                "Events that are not in the site database yet.",
                one(max(0, live.journal.last_seq - projected.projected)),
            ),
            family(
                "site_database_up", "gauge", "1 while the site database answers.", one(0 if projected.away else 1)
            ),
            self._meter.text(),
        )
        return "\n".join(chain(*families)) + "\n"


def _line(line: LineNow, today: Measures) -> dict[str, object]:
    return {
        "name": line.name,
        "waiting": line.waiting,
        "longest_wait_ms": line.longest_wait_ms,
        "callbacks": line.callbacks,
        "agents": dict(line.agents),
        "today": _day(today),
    }


def _day(today: Measures) -> dict[str, object]:
    return {**counts(today), **figures(today)}
