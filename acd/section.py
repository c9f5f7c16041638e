"""Reading what people write in YAML: each value under its key, all mistakes at once, each with its key."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from acd.model import Skills
from acd.policies.skills import canonical

T = TypeVar("T")

CODE = re.compile(r"[a-z0-9_]{1,40}")


class Section:
    """A mapping that is read key by key; what does not fit, is missing or is left over becomes an error."""

    def __init__(self, where: str, value: object, errors: list[str]) -> None:
        self._where = where
        self._errors = errors
        self._seen: set[object] = set()
        self._values: Mapping[object, object] = {}
        if isinstance(value, dict):
            self._values = value
        elif value is not None:
            self._errors.append(f"{where.rstrip('.: ')}: must be a mapping")

    def close(self) -> None:
        """Report the keys that nobody read."""
        for key in self._values:
            if key not in self._seen:
                self.fault(str(key), "is not known")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key)
        if value is None and default is not None:
            return default
        if value is None:
            self.fault(key, "is missing")
        elif not isinstance(value, str) or not value.strip():
            self.fault(key, "must be a text (quote numbers)")
        return value if isinstance(value, str) else ""

    def code(self, key: str) -> str:
        value = self.text(key)
        if value and not CODE.fullmatch(value):
            self.fault(key, "must be small letters, digits and '_', at most 40")
        return value

    def names(self) -> list[str]:
        """The keys that are there, for a mapping whose keys the site chooses."""
        return [name for name in self._values if isinstance(name, str)]

    def texts(self, key: str) -> tuple[tuple[str, str], ...]:
        """Texts by language, at least one."""
        inner = self.section(key)
        texts = tuple((name, inner.text(name)) for name in inner.names())
        inner.close()
        if not texts:
            self.fault(key, "must have a text in at least one language")
        return texts

    def optional_text(self, key: str) -> str | None:
        self._seen.add(key)
        return None if self._values.get(key) is None else self.text(key)

    def integer(self, key: str, least: int, most: int, default: int) -> int:
        value = self.optional_integer(key, least, most)
        return default if value is None else value

    def optional_integer(self, key: str, least: int, most: int) -> int | None:
        value = self._take(key)
        return value if value is None else self._bounded(key, value, least, most)

    def number(self, key: str, least: float, most: float, default: float | None = None) -> float:
        """A finite number; without `default` it must be there."""
        value = self.optional_number(key, least, most)
        if value is None and default is None and self._values.get(key) is None:
            self.fault(key, "is missing")
        return value if value is not None else least if default is None else default

    def optional_number(self, key: str, least: float, most: float) -> float | None:
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.fault(key, f"must be a number from {least:g} to {most:g}")
            return least
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, "must be true or false")
        return value if isinstance(value, bool) else default

    def choice(self, key: str, choices: Sequence[T], default: T) -> T:
        value = self._take(key)
        for choice in choices:
            if value == choice:
                return choice
        if value is not None:
            self.fault(key, f"must be one of {', '.join(str(choice) for choice in choices)}")
        return default

    def choices(self, key: str, choices: Sequence[T]) -> tuple[T, ...]:
        """One of `choices` or a list of some, in the order of the list and none twice; nothing when it is missing."""
        value = self._take(key)
        wanted = [] if value is None else value if isinstance(value, list) else [value]
        found = tuple(choice for each in wanted for choice in choices if choice == each)
        if len(found) < len(wanted):
            self.fault(key, f"must be one or a list of {', '.join(str(choice) for choice in choices)}")
        elif len(set(found)) < len(found):
            self.fault(key, "has something twice")
        return found

    def skills(self, key: str) -> Skills:
        """Levels 1..10 by skill."""
        inner = self.section(key)
        levels = {name: inner.integer(name, 1, 10, 1) for name in inner.names()}
        inner.close()
        return canonical(levels)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts, none twice; nothing when it is missing."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.fault(key, "must be a list of texts")
            return ()
        if len(set(value)) < len(value):
            self.fault(key, "has something twice")
        return tuple(value)

    def section(self, key: str) -> "Section":
        return Section(f"{self._where}{key}.", self._take(key), self._errors)

    def sections(self, key: str, *, may_be_missing: bool = False) -> list["Section"]:
        value = self._take(key)
        if value is None and may_be_missing:
            return []
        if not isinstance(value, list) or not value:
            self.fault(key, "must be a list with at least one item")
            return []
        return [
            Section(f"{self._where}{key}[{index}].", item or {}, self._errors) for index, item in enumerate(value)
        ]

    def _take(self, key: str) -> object:
        self._seen.add(key)
        return self._values.get(key)

    def value(self, key: str) -> object:
        """What stands there, unchecked; None when nothing does."""
        return self._take(key)

    def _bounded(self, key: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"must be a whole number from {least} to {most}")
            return least
        return value

    def fault(self, key: str, what: str) -> None:
        self._errors.append(f"{self._where}{key}: {what}")
