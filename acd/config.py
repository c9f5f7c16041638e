"""Queues and agents as the site writes them down: `config/queues.yaml`, `config/agents.yaml`.

All mistakes are reported at once, each with its key (`queues.yaml: queues[1].ring_s`). What only people or the
director need (names, phones, music) stays here; `Roster.policy` is what the core gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import yaml

from acd.model import DEFAULTS, AgentPolicy, Delivery, Policy, QueuePolicy, Settings, Skills
from acd.routing_config import PLAIN_ROUTING, PLAIN_STAFF, RoutingConfig, StaffConfig, read_routing, read_staff
from acd.section import Section
from acd.waiting_config import QUIET, WaitingConfig, queue_faults, read_waiting
from callcenter.kernel.codec import encode
from callcenter.kernel.errors import ConfigError

Key = Literal["queues.yaml", "agents.yaml"]

QUEUES: Key = "queues.yaml"
AGENTS: Key = "agents.yaml"
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue. `music` and `announcement` name prompts; `record` says whether talks are recorded.

    `waiting`: what is done for callers while they wait; `routing`: whom they are offered to.
    """

    name: str
    skills: Skills = ()
    music: str | None = None
    announcement: str | None = None
    ring_s: int = 20
    wrap_up_s: int = 30
    record: bool = False
    max_wait_s: int | None = None
    waiting: WaitingConfig = QUIET
    routing: RoutingConfig = PLAIN_ROUTING


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """One agent. `user` signs in to the console, `phone` is the user of phones.yaml that rings."""

    id: str
    name: str
    user: str
    phone: str
    delivery: Delivery = "phone"
    skills: Skills = ()
    staff: StaffConfig = PLAIN_STAFF


@dataclass(frozen=True, slots=True)
class Disposition:
    """How a contact may have ended. `code` is stored; `names` are by language, the first is for all others."""

    code: str
    names: tuple[tuple[str, str], ...]


DISPOSITIONS = (
    Disposition("resolved", (("en", "Resolved"), ("zh", "已解决"))),
    Disposition("follow_up", (("en", "To be followed up"), ("zh", "需跟进"))),
    Disposition("wrong_number", (("en", "Wrong number"), ("zh", "打错电话"))),
    Disposition("no_answer", (("en", "Caller did not speak"), ("zh", "来电者无应答"))),
)


@dataclass(frozen=True, slots=True)
class Roster:
    """Both files, checked."""

    queues: tuple[QueueConfig, ...]
    agents: tuple[AgentConfig, ...]
    settings: Settings = DEFAULTS
    dispositions: tuple[Disposition, ...] = DISPOSITIONS

    @property
    def policy(self) -> Policy:
        """The core's part, named after its content: equal rules have equal versions."""
        queues = tuple(
            QueuePolicy(
                queue.name,
                queue.skills,
                queue.ring_s,
                queue.wrap_up_s,
                queue.max_wait_s,
                announce=queue.waiting.announce,
                overflow=queue.waiting.overflow,
                strategy=queue.routing.strategy,
                requires=queue.routing.requires,
                teams=queue.routing.teams,
                rings=queue.routing.rings,
                wrap_up=queue.routing.wrap_up,
                preferred_s=queue.routing.preferred_s,
                head_start_s=queue.routing.head_start_s,
                ring_all_most=queue.routing.ring_all_most,
            )
            for queue in self.queues
        )
        agents = tuple(
            AgentPolicy(
                agent.id,
                agent.skills,
                agent.delivery,
                agent.staff.teams,
                agent.staff.weight,
                agent.staff.wrap_up,
                agent.staff.wrap_up_s,
                agent.staff.capacity,
            )
            for agent in self.agents
        )
        version = sha256(encode([queues, agents, self.settings])).hexdigest()[:12]
        return Policy(version, queues, agents, self.settings)

    def queue(self, name: str) -> QueueConfig | None:
        return next((queue for queue in self.queues if queue.name == name), None)

    def agent(self, id_: str) -> AgentConfig | None:
        return next((agent for agent in self.agents if agent.id == id_), None)

    def wraps_up_when_asked(self, agent: AgentConfig) -> tuple[str, ...]:
        """The queues after whose callers this agent has a wrap-up only if he asks for it during the call."""
        own_mode, own_s = agent.staff.wrap_up, agent.staff.wrap_up_s
        modes = ((queue, own_mode or queue.routing.wrap_up) for queue in self.queues)
        return tuple(
            queue.name
            for queue, mode in modes
            if mode == "optional" or (mode == "timed" and not (queue.wrap_up_s if own_s is None else own_s))
        )

    def agent_of_phone(self, phone: str) -> AgentConfig | None:
        return next((agent for agent in self.agents if agent.phone == phone), None)


def load(folder: Path) -> Roster:
    """Read both files of `folder`; raises ConfigError with every mistake, one a line, and `data["errors"]`."""
    errors: list[str] = []
    queues, agents = _document(folder, QUEUES, errors), _document(folder, AGENTS, errors)
    if errors:
        raise _error(errors)
    return parse(queues, agents)


def parse(queues: object, agents: object) -> Roster:
    """The roster in two parsed documents; raises ConfigError as `load` does."""
    errors: list[str] = []
    top = Section(f"{QUEUES}: ", queues, errors)
    settings = _settings(top.section("distributor"))
    queues_ = tuple(_queue(section) for section in top.sections("queues"))
    dispositions = tuple(_disposition(section) for section in top.sections("dispositions", may_be_missing=True))
    top.close()
    people = Section(f"{AGENTS}: ", agents, errors)
    staff = tuple(_agent(section) for section in people.sections("agents"))
    people.close()
    _unique(f"{QUEUES}: queues", "name", [queue.name for queue in queues_], errors)
    for index, key, what in queue_faults([(queue.name, queue.waiting) for queue in queues_]):
        errors.append(f"{QUEUES}: queues[{index}].{key}: {what}")
    _unique(f"{QUEUES}: dispositions", "code", [each.code for each in dispositions], errors)
    for key in ("id", "user", "phone"):
        _unique(f"{AGENTS}: agents", key, [str(getattr(agent, key)) for agent in staff], errors)
    if errors:
        raise _error(errors)
    return Roster(queues_, staff, settings, dispositions or DISPOSITIONS)


def _error(errors: Sequence[str]) -> ConfigError:
    return ConfigError("\n".join(errors), data={"errors": list(errors)})


def _document(folder: Path, name: Key, errors: list[str]) -> object:
    try:
        return yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        errors.append(f"{name}: cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        errors.append(f"{name}: is not UTF-8")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        errors.append(f"{name}: is not YAML{line}")
    return None


def _unique(where: str, key: str, values: Sequence[str], errors: list[str]) -> None:
    for index, value in enumerate(values):
        if value and value in values[:index]:
            errors.append(f"{where}[{index}].{key}: {value!r} is there twice")


def _settings(section: Section) -> Settings:
    default = DEFAULTS
    settings = Settings(
        exclusion_s=section.integer("exclusion_s", 0, DAY_S, default.exclusion_s),
        misses=section.integer("misses", 1, 100, default.misses),
        back_off_s=section.integer("back_off_s", 1, DAY_S, default.back_off_s),
        back_off_max_s=section.integer("back_off_max_s", 1, DAY_S, default.back_off_max_s),
        priority_s=section.integer("priority_s", 0, DAY_S, default.priority_s),
        strict_priority=section.flag("strict_priority", default=default.strict_priority),
    )
    section.close()
    return settings


def _queue(section: Section) -> QueueConfig:
    name, skills = section.text("name"), section.skills("skills")
    queue = QueueConfig(
        name=name,
        skills=skills,
        music=section.optional_text("music"),
        announcement=section.optional_text("announcement"),
        ring_s=section.integer("ring_s", 1, 300, 20),
        wrap_up_s=section.integer("wrap_up_s", 0, DAY_S, 30),
        record=section.flag("record", default=False),
        max_wait_s=section.optional_integer("max_wait_s", 1, DAY_S),
        waiting=read_waiting(section),
        routing=read_routing(section, skills),
    )
    section.close()
    return queue


def _disposition(section: Section) -> Disposition:
    found = Disposition(section.code("code"), section.texts("names"))
    section.close()
    return found


def _agent(section: Section) -> AgentConfig:
    id_ = section.text("id")
    agent = AgentConfig(
        id=id_,
        name=section.text("name", default=id_),
        user=section.text("user", default=id_),
        phone=section.text("phone"),
        delivery=section.choice("delivery", get_args(Delivery), "phone"),
        skills=section.skills("skills"),
        staff=read_staff(section),
    )
    section.close()
    return agent
