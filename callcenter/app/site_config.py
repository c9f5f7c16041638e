"""The site's configuration as calls need it: look-ups in memory, made once at start.

`config/` is data. What is wrong in it is reported at once and by key; a server with a broken configuration does not
start, because a wrong number would only be found by a caller. A policy in force that has lost a phone or a prompt is
another matter: it can be changed only while the server runs, which says so and does without.
"""

import logging
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from acd.config import AGENTS, QUEUES, Roster
from acd.config import load as load_roster
from acd.routing_config import Preference
from callcenter.app.endpoints import Endpoints, load_endpoints
from callcenter.calendars import Calendar, load_calendars
from callcenter.director.machines.callback import CallbackRules
from callcenter.director.machines.trunk_use import DialOutRules
from callcenter.director.ports import QueueCare
from callcenter.director.sound_watch import UNKNOWN_S
from callcenter.kernel.errors import ConfigError
from ivr.loading import load_flows
from ivr.model import Flow, QueueNode
from ivr.prompts import PromptFolder
from ivr.references import paths_of
from ivr.speech import NotSpeakable, say_place
from tickets.config import TicketRules
from tickets.config import load as load_tickets

log = logging.getLogger(__name__)

INTERNAL = "internal"
VOICEMAIL = "voicemail"
LAST_AGENT = ("customer", "last_agent")


@dataclass(slots=True)
class SiteConfig:
    """Everything in config/ but the settings; the director's `Site`.

    `roster` is exchanged for another while calls run (`policy_side`); the rest stays as it was read.
    """

    roster: Roster
    endpoints: Endpoints
    flows: dict[str, Flow]
    calendars: dict[str, Calendar]
    prompts: PromptFolder
    language: str
    personal_flows: frozenset[str]
    tickets: TicketRules
    region: str = ""
    flows_read_last_agent: bool = False

    @property
    def faults(self) -> list[str]:
        """What queues and agents name and the rest of config/ has not: file, key, what is wrong with it."""
        waiting = waiting_faults(self.roster, self.flows, self.prompts, self.language)
        return [
            *(f"{QUEUES}: {where}: {what}" for where, what in waiting),
            *(f"{AGENTS}: {where}: {what}" for where, what in phone_faults(self.roster, self.endpoints)),
        ]

    @property
    def wants_last_agents(self) -> bool:
        """Whether a queue or a flow asks whom a customer talked to last."""
        queues = self.roster.queues
        return self.flows_read_last_agent or any("last_agent" in queue.routing.preferred for queue in queues)

    @property
    def dial_out(self) -> DialOutRules:
        """The trunks that ring numbers outside, in the order of trunks.yaml."""
        rules = (trunk.outbound for trunk in self.endpoints.trunks)
        return DialOutRules(self.region, tuple(each for each in rules if each is not None))

    def has_phone(self, user: str) -> bool:
        """Whether phones.yaml has `user`."""
        return any(phone.user == user for phone in self.endpoints.phones)

    def flow_for(self, source_kind: str, source: str, called: str) -> str | None:
        """A trunk's number leads to its flow; a phone's to a service number, or to the flow that rings phones."""
        if source_kind == "trunk":
            for trunk in self.endpoints.trunks:
                if trunk.name == source:
                    return trunk.numbers.get(called, trunk.default)
            return None
        service = self.endpoints.dial.get(called)
        if service is not None:
            return service
        if self.has_phone(called):
            return INTERNAL if INTERNAL in self.flows else None
        return self.endpoints.outside

    def wants_customer(self, flow: str) -> bool:
        """Whether `flow` queues its callers (an agent gets a pop) or reads `customer.x`."""
        return flow in self.personal_flows

    def agent_of_phone(self, user: str) -> str | None:
        """The agent whose phone `user` is."""
        agent = self.roster.agent_of_phone(user)
        return None if agent is None else agent.id

    def preferences(self, queue: str) -> tuple[Preference, ...]:
        """Whom the callers of `queue` are to have first."""
        found = self.roster.queue(queue)
        return () if found is None else found.routing.preferred

    def phone_of_agent(self, agent: str) -> str | None:
        """The phone that rings for `agent`."""
        found = self.roster.agent(agent)
        return None if found is None else found.phone

    def has_queue(self, queue: str) -> bool:
        """Whether queues.yaml has `queue`."""
        return self.roster.queue(queue) is not None

    def flow_of_number(self, number: str) -> str | None:
        """The flow that phones reach by dialling `number`."""
        return self.endpoints.dial.get(number)

    def sound(self, prompt: str, language: str) -> tuple[str, ...]:
        """The file of `prompt` in `language`, else in the site's."""
        return self._files(prompt, language)

    def sound_s(self, files: tuple[str, ...]) -> float:
        """The length of WAV files, each read once."""
        return sum(map(_wav_s, files))

    def queue_care(self, queue: str, language: str) -> QueueCare:
        """Recording, announcement and music of `queue`; prompts in `language`, else in the site's."""
        found = self.roster.queue(queue)
        if found is None:
            return QueueCare()
        waiting, callback = found.waiting, found.waiting.callback
        announcement = self._files(found.announcement, language)
        return QueueCare(
            # What cannot be announced as the queue wants it is not recorded.
            found.record and bool(announcement or found.announcement is None),
            announcement,
            self._files(found.music, language),
            self._files(waiting.comfort, language),
            waiting.resume_s,
            CallbackRules(callback.tries, callback.retry_s, callback.ring_s),
        )

    def flow_named(self, name: str) -> str | None:
        """`name` where config/flows has it."""
        return name if name in self.flows else None

    def place_sounds(self, position: int | None, wait_s: int | None, language: str) -> tuple[str, ...]:
        """A waiting caller's place and the wait to expect; nothing where a piece of it is missing."""
        language = language or self.language
        try:
            pieces = say_place(position, wait_s, language)
        except NotSpeakable:
            return ()
        files = [self.prompts.find(language, piece) for piece in pieces]
        return tuple(file for file in files if file is not None) if None not in files else ()

    def _files(self, prompt: str | None, language: str) -> tuple[str, ...]:
        if prompt is None:
            return ()
        found = self.prompts.find(language or self.language, prompt) or self.prompts.find(self.language, prompt)
        return () if found is None else (found,)


@cache
def _wav_s(path: str) -> float:
    try:
        with wave.open(path) as file:
            return float(file.getnframes() / file.getframerate())
    except (OSError, EOFError, wave.Error):
        return UNKNOWN_S


def load_site(config: Path, *, language: str, region: str = "", active: Roster | None = None) -> SiteConfig:
    """Read and check the folder `config`; raises ConfigError naming every fault of the file that is wrong.

    `active` is the policy that stands for queues.yaml and agents.yaml; None: they hold themselves.
    """
    roster = active or load_roster(config)
    endpoints = load_endpoints(config)
    calendars = load_calendars(config / "calendars")
    prompts = PromptFolder(config / "prompts")
    queues = [queue.name for queue in roster.queues]
    flows = load_flows(config / "flows", prompts=prompts, queues=queues, calendars=calendars)
    _check_numbers(endpoints, flows)
    personal = frozenset(name for name, flow in flows.items() if _is_personal(flow))
    tickets = load_tickets(config, calendars)
    last_agent = any(LAST_AGENT in _names_in(flow) for flow in flows.values())
    site = SiteConfig(roster, endpoints, flows, calendars, prompts, language, personal, tickets, region, last_agent)
    if site.faults and active is None:
        raise ConfigError("\n".join(site.faults))
    if site.faults:
        log.error(
            "the policy in force names what config/ has not: see the status", extra={"missing": len(site.faults)}
        )
    return site


def waiting_faults(
    roster: Roster, flows: Mapping[str, Flow], prompts: PromptFolder, language: str
) -> list[tuple[str, str]]:
    """What queues play and where they send callers must be there: the key, and what is wrong with it."""
    faults: list[tuple[str, str]] = []
    for index, queue in enumerate(roster.queues):
        where = f"queues[{index}]"
        plays = {"music": queue.music, "announcement": queue.announcement, "comfort.prompt": queue.waiting.comfort}
        for number, rule in enumerate(queue.waiting.overflow):
            kind, name = rule.target.kind, rule.target.name
            if kind == "announcement":
                plays[f"overflow[{number}].to.announcement"] = name
            flow = name if kind == "flow" else VOICEMAIL if kind == "voicemail" else None
            if flow is not None and flow not in flows:
                faults.append((f"{where}.overflow[{number}].to", f"config/flows has no flow {flow!r}"))
        faults += [
            (f"{where}.{key}", f"there is no prompt {name!r}")
            for key, name in plays.items()
            if name is not None and prompts.find(language, name) is None
        ]
    return faults


def phone_faults(roster: Roster, endpoints: Endpoints) -> list[tuple[str, str]]:
    """Agents whose phone could never ring: the key, and what is wrong with it."""
    there = {phone.user for phone in endpoints.phones}
    return [
        (f"agents[{index}].phone", f"phones.yaml has no phone {agent.phone!r}")
        for index, agent in enumerate(roster.agents)
        if agent.phone not in there
    ]


def _is_personal(flow: Flow) -> bool:
    asks = any(path[:1] == ("customer",) for path in _names_in(flow))
    return asks or any(isinstance(node, QueueNode) for node in flow.nodes.values())


def _names_in(flow: Flow) -> set[tuple[str, ...]]:
    return {path for node in flow.nodes.values() for _, path in paths_of(node)}


def _check_numbers(endpoints: Endpoints, flows: dict[str, Flow]) -> None:
    wanted = [(f"phones.yaml: dial.{number}", flow) for number, flow in endpoints.dial.items()]
    if endpoints.outside is not None:
        wanted.append(("phones.yaml: outside", endpoints.outside))
    for index, trunk in enumerate(endpoints.trunks):
        where = f"trunks.yaml: trunks[{index}]"
        wanted += [(f"{where}.numbers.{number}", flow) for number, flow in trunk.numbers.items()]
        if trunk.default is not None:
            wanted.append((f"{where}.default", trunk.default))
    unknown = [
        f"{where} names the flow {flow!r}, which config/flows lacks" for where, flow in wanted if flow not in flows
    ]
    if unknown:
        raise ConfigError("\n".join(unknown))
