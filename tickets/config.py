"""What the site promises about tickets: `config/tickets.yaml`. A site without the file promises nothing.

All mistakes are reported at once, each with its key (`tickets.yaml: policies[0].resolution.targets.normal`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import yaml

from callcenter.calendars import Calendar
from callcenter.kernel.errors import ConfigError
from tickets.model import CLOCKS, DONE, ORDER, ClockName, ClockRule, Policy, Priority, Status, Step, Terms, terms_of

T = TypeVar("T")

FILE = "tickets.yaml"
STEP = "overdue"
MOST_MINUTES = 5 * 366 * 24 * 60
PAUSING: tuple[Status, ...] = tuple(status for status in get_args(Status) if status not in DONE)


@dataclass(frozen=True, slots=True)
class TicketRules:
    """The file, checked, with the calendars that it names."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    default: str | None = None
    categories: Mapping[str, str] = field(default_factory=dict)

    def terms_for(self, category: str | None) -> Terms | None:
        """The terms that a ticket of `category` gets now; None where nothing is promised."""
        name = self.categories.get(category, self.default) if category else self.default
        policy = None if name is None else self.policies[name]
        return None if policy is None else terms_of(policy, self.calendars[policy.calendar])

    def book(self) -> dict[Terms, tuple[Policy, Calendar]]:
        """What the present terms mean."""
        pairs = [(policy, self.calendars[policy.calendar]) for policy in self.policies.values()]
        return {terms_of(policy, calendar): (policy, calendar) for policy, calendar in pairs}


def load(folder: Path, calendars: Mapping[str, Calendar]) -> TicketRules:
    """Read the file in `folder`; raises ConfigError with every mistake, one a line, and `data["errors"]`."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return TicketRules()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE}: cannot be read as UTF-8 text") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{FILE}: is not YAML{line}") from error
    return parse(document, calendars)


def parse(document: object, calendars: Mapping[str, Calendar]) -> TicketRules:
    """The rules in a parsed document; raises ConfigError as `load` does."""
    errors: list[str] = []
    top = _Keys(f"{FILE}: ", document, errors)
    policies: dict[str, Policy] = {}
    for keys in top.items("policies"):
        policy = _policy(keys, calendars)
        if policy.name in policies:
            keys.fault("name", f"{policy.name!r} is there twice")
        policies[policy.name] = policy
    default = top.choice("default", list(policies))
    chosen = top.mapping("categories")
    categories = {name: chosen.choice(name, list(policies)) or "" for name in chosen.names}
    top.close()
    if errors:
        raise ConfigError("\n".join(errors), data={"errors": errors})
    return TicketRules(policies, calendars, default, categories)


def _policy(keys: "_Keys", calendars: Mapping[str, Calendar]) -> Policy:
    name, calendar = keys.text("name"), keys.choice("calendar", list(calendars), needed=True)
    clocks: dict[ClockName, ClockRule] = {
        clock: _clock(keys.mapping(clock)) for clock in CLOCKS if keys.value(clock) is not None
    }
    for clock, rule in clocks.items():
        for step in rule.steps:
            if step.raise_to is not None and any(step.raise_to not in each.targets for each in clocks.values()):
                keys.fault(f"{clock}.escalation.raise_to", f"{step.raise_to} tickets would have no clock any more")
    keys.close()
    return Policy(name, calendar or "", clocks)


def _clock(keys: "_Keys") -> ClockRule:
    inner = keys.mapping("targets")
    found = {priority: inner.integer(priority, 1, MOST_MINUTES) for priority in ORDER}
    targets: dict[Priority, int] = {priority: minutes for priority, minutes in found.items() if minutes is not None}
    if not targets:
        keys.fault("targets", f"needs the minutes of at least one of {', '.join(ORDER)}")
    inner.close()
    pausing = keys.choices("pausing", PAUSING)
    steps = (_step(keys.mapping("escalation"), targets),) if keys.value("escalation") is not None else ()
    keys.close()
    return ClockRule(targets, pausing, steps)


def _step(keys: "_Keys", targets: Mapping[Priority, int]) -> Step:
    offset = keys.integer("offset", -MOST_MINUTES, MOST_MINUTES) or 0
    least = min(targets.values(), default=MOST_MINUTES)
    if offset <= -least:
        keys.fault("offset", f"is before the ticket's beginning where the target is {least} minutes")
    raise_to: Priority | None = keys.choice("raise_to", ORDER)
    keys.close()
    return Step(STEP, offset, raise_to)


class _Keys:
    """A mapping that is read key by key; what does not fit, is missing or is left over becomes an error."""

    def __init__(self, where: str, value: object, errors: list[str]) -> None:
        self._where = where
        self._errors = errors
        self._seen: set[object] = set()
        self._values: Mapping[object, object] = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            errors.append(f"{where.rstrip('.: ')}: must be a mapping")

    @property
    def names(self) -> list[str]:
        return [str(key) for key in self._values]

    def fault(self, key: str, what: str) -> None:
        self._errors.append(f"{self._where}{key}: {what}")

    def close(self) -> None:
        """Report the keys that nobody read."""
        for key in self._values:
            if key not in self._seen:
                self.fault(str(key), "is not known")

    def value(self, key: str) -> object:
        self._seen.add(key)
        return self._values.get(key)

    def mapping(self, key: str) -> "_Keys":
        return _Keys(f"{self._where}{key}.", self.value(key), self._errors)

    def items(self, key: str) -> list["_Keys"]:
        value = self.value(key)
        if not isinstance(value, list):
            self.fault(key, "must be a list")
            return []
        return [_Keys(f"{self._where}{key}[{n}].", item or {}, self._errors) for n, item in enumerate(value)]

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, str) or not value.strip():
            self.fault(key, "is missing" if value is None else "must be a text (quote numbers)")
            return ""
        return value

    def integer(self, key: str, least: int, most: int) -> int | None:
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"must be a whole number from {least} to {most}")
            return None
        return value

    def choice(self, key: str, choices: Sequence[T], *, needed: bool = False) -> T | None:
        value = self.value(key)
        found = next((choice for choice in choices if choice == value), None)
        if found is None and (value is not None or needed):
            self.fault(key, f"must be one of {', '.join(map(str, choices))}")
        return found

    def choices(self, key: str, choices: Sequence[T]) -> tuple[T, ...]:
        value = self.value(key)
        if value is None:
            return ()
        wanted = value if isinstance(value, list) else [None]
        found = tuple(choice for choice in choices if choice in wanted)
        if len(found) != len(wanted):
            self.fault(key, f"must be a list of {', '.join(map(str, choices))}, each once at most")
        return found
