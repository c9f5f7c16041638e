"""Tickets on the running server: opened by an agent, escalated once though the server was away when it fell due."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.support.ageing import grow_old
from tests.support.server import Server, SiteFiles, eventually

pytestmark = pytest.mark.e2e

POLICY = {
    "name": "standard",
    "calendar": "always",
    "first_response": {"targets": {"normal": 60, "high": 60}, "escalation": {"raise_to": "high"}},
}
ALWAYS = {"zone": "UTC", "weekly": {"mon-sun": ["00:00-24:00"]}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    files = SiteFiles(
        queues=[{"name": "support", "skills": {"support": 1}}],
        agents=[{"id": "ann", "name": "Ann", "user": "ann", "phone": "1001", "skills": {"support": 1}}],
        phones=[{"user": "1001"}],
        flows={"main": {"language": "en", "start": "bye", "nodes": {"bye": {"kind": "hangup"}}}},
        settings={"media": {"ports": "26100-26199", "workers": 1}},
    )
    server = Server(tmp_path, files)
    (server.config / "calendars" / "always.yaml").write_text(yaml.safe_dump(ALWAYS), encoding="utf-8")
    rules = {"policies": [POLICY], "default": "standard"}
    (server.config / "tickets.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    with server:
        yield server


def escalations(server: Server) -> list[tuple[str, int, str]]:
    with closing(sqlite3.connect(server.data / "site.db")) as database:
        return database.execute("SELECT clock, cycle, step FROM ticket_escalations").fetchall()


def test_an_agent_opens_a_ticket_that_escalates_once_over_restarts(server: Server) -> None:
    with closing(server.client("ann")) as ann:
        ticket = ann.post(
            "/api/tickets", json={"subject": "Printer", "command_id": "key-1", "assignee": "ann", "queue": "support"}
        )
    assert (ticket.status_code, ticket.json()["number"]) == (201, 1)
    server.stop()
    grow_old(server, timedelta(hours=2))
    for _ in range(2):
        server.start()
        eventually("the step has fired", lambda: escalations(server))
        server.stop()
    assert escalations(server) == [("first_response", 1, "overdue")]
    server.start()
    with closing(server.client("ann")) as ann:
        shown = ann.get(f"/api/tickets/{ticket.json()['id']}").json()
    assert (shown["ticket"]["priority"], shown["ticket"]["overdue"]) == ("high", True)
    assert [clock["state"] for clock in shown["clocks"]] == ["breached"]
    assert not server.tracebacks()
