"""The site of those who wait when the application dies: three queues, callbacks, agents at rest and at work.

Callers come from 127.0.0.61, phones are at 127.0.0.62, who is called back at 127.0.0.63. Agents `wrap...` work after
a call, `ring` lets it ring, `talk` talks, `lunch` pauses, `serve...` come when the test calls them to work.
"""

from pathlib import Path

import httpx

from tests.faults import verdict
from tests.support.server import Document, Server, SiteFiles, eventually, free_port

CALLERS, PHONES, CARRIER = "127.0.0.61", "127.0.0.62", "127.0.0.63"
QUEUES = ("gold", "silver", "bronze")
SERVERS = tuple(f"serve{number}" for number in range(1, 7))
AGENTS: dict[str, Document] = {
    "wrap_break": {"skills": {"past": 1}, "wrap_up_s": 9},
    "wrap_short": {"skills": {"past": 1}, "wrap_up_s": 4},
    "wrap_open": {"skills": {"past": 1}, "wrap_up": "mandatory"},
    "talk": {"skills": {"talk": 1}},
    "ring": {"skills": {"gold": 1}},
    "lunch": {"skills": {"gold": 1}},
    **{name: {"skills": dict.fromkeys(QUEUES, 1)} for name in SERVERS},
}
# Each of the three queues is come to in two ways, so that order is not that of arrival.
WAITING: dict[str, Document] = {
    "11": {"queue": "gold"},
    "12": {"queue": "gold", "priority": 90},
    "21": {"queue": "silver"},
    "22": {"queue": "silver", "head_start_s": 40},
    "31": {"queue": "bronze"},
    "32": {"queue": "bronze", "priority": 20},
}
PAST, TALK, LATE, CALLBACK = "40", "50", "60", {"71": "gold", "72": "silver", "73": "bronze"}
LATE_S = 5


def _queue_flow(**keys: object) -> Document:
    node = {"kind": "queue", "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end", **keys}
    return _flow(node)


def _flow(node: Document) -> Document:
    nodes: dict[str, Document] = {"start": node, "end": {"kind": "hangup"}}
    return {"language": "en", "start": "start", "on_error": "end", "nodes": nodes}


def _flows() -> dict[str, Document]:
    flows = {f"to-{number}": _queue_flow(**keys) for number, keys in WAITING.items()}
    for number, queue in ((PAST, "past"), (TALK, "talk"), (LATE, "late")):
        flows[f"to-{number}"] = _queue_flow(queue=queue)
    for number, queue in CALLBACK.items():
        flows[f"to-{number}"] = _flow({"kind": "callback", "queue": queue, "next": "end", "on_refused": "end"})
    return flows


def _queues() -> list[Document]:
    usual: Document = {"music": "music", "wrap_up_s": 0, "ring_s": 20}
    # Their deadlines fall about the kill: a word, a wider ring, another way out.
    told = {"announce": {"position": True, "first_s": 5, "every_s": 0}}
    far = [{"when": "waited", "limit": 600, "to": "branch"}]
    widening = [{"seconds": 5}, {"lower": 1}]
    return [
        {"name": "gold", "skills": {"gold": 1}, **usual, **told},
        {"name": "silver", "skills": {"silver": 1}, **usual, "head_start_s": 5, "overflow": far},
        {"name": "bronze", "skills": {"bronze": 1}, **usual, "rings": widening},
        {"name": "past", "skills": {"past": 1}, **usual},
        {"name": "talk", "skills": {"talk": 1}, **usual},
        {
            "name": "late",
            "skills": {"nobody": 1},
            **usual,
            "overflow": [{"when": "waited", "limit": LATE_S, "to": "branch"}],
        },
    ]


class WaitingSite:
    """The running site, its ports, and hands for its API that try again while nobody is there."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: free_port(address=CALLERS) for name in ("wait", "work", "late", "ask")}
        self.ports |= {name: free_port(address=PHONES) for name in ("stay", "ring", "serve")}
        self.ports["carrier"] = free_port(address=CARRIER)
        self.folder = folder
        self.server = Server(folder, self._files())
        self._clients: dict[str, httpx.Client] = {}

    def _files(self) -> SiteFiles:
        numbers = {number: f"to-{number}" for number in (*WAITING, PAST, TALK, LATE, *CALLBACK)}
        sources = [f"{CALLERS}:{self.ports[name]}" for name in ("wait", "work", "late", "ask")]
        out = {"caller_id": "+390699999999", "allow": ["+39"], "calls": 20, "per_minute": 600}
        return SiteFiles(
            trunks=[
                {"name": "t", "addresses": sources, "numbers": numbers},
                {
                    "name": "carrier",
                    "addresses": [f"{CARRIER}:{self.ports['carrier']}"],
                    "options_s": 0,
                    "outbound": out,
                },
            ],
            phones=[{"user": f"p-{name}", "contact": self._contact(name)} for name in AGENTS],
            queues=_queues(),
            agents=[
                {"id": name, "name": name, "user": name, "phone": f"p-{name}", "delivery": "phone", **keys}
                for name, keys in AGENTS.items()
            ],
            flows=_flows(),
            settings={
                "media": {"ports": "27000-27399", "workers": 1},
                "limits": {"per_source_per_s": 500, "per_source_burst": 1000},
                "site": {"region": "IT", "zone": "Europe/Rome"},
            },
        )

    def _contact(self, agent: str) -> str:
        phone = "serve" if agent in SERVERS else "ring" if agent == "ring" else "stay"
        return f"sip:p-{agent}@{PHONES}:{self.ports[phone]}"

    def __enter__(self) -> "WaitingSite":
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for login in list(self._clients):
            self._hang_up(login)
        self.server.stop()

    def _hang_up(self, login: str) -> None:
        client = self._clients.pop(login, None)
        if client is not None:
            client.close()

    def ask(self, path: str, *, login: str = "sue", json: Document | None = None, within_s: float = 20.0) -> Document:
        """The first answer to GET, or POST of `json`, that is a success."""

        def answered() -> httpx.Response | None:
            try:
                if login not in self._clients:
                    self._clients[login] = self.server.client(login)
                client = self._clients[login]
                answer = client.get(path) if json is None else client.post(path, json=json)
            except (httpx.TransportError, AssertionError):
                self._hang_up(login)
                return None
            return answer if answer.is_success else None

        found: httpx.Response = eventually(f"success of {path}", answered, within_s=within_s)
        document: Document = found.json() if found.content else {}
        return document

    def agents(self) -> dict[str, Document]:
        """All agents as the API has them, by id."""
        return {agent["id"]: agent for agent in self.ask("/api/agents")["agents"]}

    def entries(self) -> list[Document]:
        """All who wait as the API has them: by queue, in the order of their places."""
        found: list[Document] = self.ask("/api/entries")["entries"]
        return found

    def set_state(self, agent: str, state: str, reason: str | None = None) -> None:
        """As the supervisor does it."""
        self.ask(f"/api/agents/{agent}/state", json={"state": state, "reason": reason})

    def becomes(self, agent: str, state: str, *, within_s: float = 15.0) -> None:
        """Wait until the agent is in `state`."""
        eventually(f"{agent} is {state}", lambda: self.agents()[agent]["state"] == state, within_s=within_s)

    def records(self, contacts: set[str]) -> list[Document]:
        """The records of these contacts, when each has one that is closed."""

        def there() -> list[Document]:
            listed = self.ask("/api/calls?limit=200")["calls"]
            mine = [each for each in listed if each["contact"] in contacts and each["result"] != "open"]
            return mine if len(mine) >= len(contacts) else []

        found: list[Document] = eventually("all records are projected", there, within_s=40)
        return found

    def everything_over(self) -> None:
        """Wait until no call is left, and sign everybody out."""
        verdict.everything_over(self.server.data)
        for agent in AGENTS:
            self.set_state(agent, "logged_out")
