"""How plain data (YAML, environment, flags) becomes a frozen dataclass.

Decides what fits and says everything that does not at once, each with its key and where it came from. Standard
library only: the supervisor reads settings and must start fast.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callcenter.kernel.errors import ConfigError


@dataclass(slots=True)
class Complaints:
    """What is wrong, gathered so that one start shows all of it."""

    found: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """`where` is the key with its source: `settings.yaml: sip.port`."""
        self.found.append(f"{where}: {what}")

    def unknown(self, where: str, name: str, known: Iterable[str]) -> None:
        """A key that nobody reads is a mistake: usually a misspelt one."""
        close = difflib.get_close_matches(name, list(known), n=1)
        self.add(where, "is not a setting" + (f"; did you mean {close[0]!r}?" if close else ""))

    def raise_if_any(self) -> None:
        """One ConfigError with a line for each."""
        if self.found:
            raise ConfigError("\n".join(self.found), data={"keys": [line.split(": ")[1] for line in self.found]})


def describe(kind: object) -> str:
    """A type in the words of the person who writes the YAML."""
    if kind in WORDS:
        return WORDS[kind]
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return " or ".join(describe(arm) for arm in typing.get_args(kind))
    if typing.get_origin(kind) is typing.Literal:
        return "one of " + ", ".join(str(choice) for choice in typing.get_args(kind))
    return "a list" if typing.get_origin(kind) is tuple else "a mapping"


WORDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "nothing",
}


def parse_text(text: str, kind: object) -> object:
    """What an environment variable or flag means for a key of type `kind`; the text itself if nothing else fits."""
    arms = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
    if bool in arms and text.lower() in ("true", "yes", "1", "false", "no", "0"):
        return text.lower() in ("true", "yes", "1")
    for number in (int, float):
        if number in arms:
            try:
                return number(text)
            except ValueError:
                continue
    if type(None) in arms and text == "":
        return None
    return text


def build(kind: object, value: object, where: str, complaints: Complaints) -> typing.Any:
    """`value` as an instance of `kind` (dataclass, tuple, mapping, scalar or union); None after a complaint."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _union(kind, value, where, complaints)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where, complaints)
    if origin is tuple:
        if isinstance(value, list | tuple):
            arm = typing.get_args(kind)[0]
            return tuple(build(arm, item, f"{where}[{number}]", complaints) for number, item in enumerate(value))
    elif origin in (dict, Mapping):
        if isinstance(value, Mapping):
            return _mapping(typing.get_args(kind)[1], value, where, complaints)
    elif origin is typing.Literal:
        if value in typing.get_args(kind):
            return value
    elif kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif isinstance(kind, type) and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    complaints.add(where, f"must be {describe(kind)}, not {value!r}")
    return None


def _mapping(arm: object, value: Mapping[object, object], where: str, complaints: Complaints) -> dict[str, object]:
    built: dict[str, object] = {}
    for key, item in value.items():
        if isinstance(key, str):
            built[key] = build(arm, item, f"{where}.{key}", complaints)
        else:
            # YAML reads 0100 as sixty-four: a dialled number has to be text.
            complaints.add(f"{where}.{key}", f'must be in quotes: "{key}"')
    return built


def _union(kind: object, value: object, where: str, complaints: Complaints) -> object:
    for arm in typing.get_args(kind):
        trial = Complaints()
        built = build(arm, value, where, trial)
        if not trial.found:
            return built
    complaints.add(where, f"must be {describe(kind)}, not {value!r}")
    return None


def _dataclass(kind: type, value: object, where: str, complaints: Complaints) -> object:
    if not isinstance(value, Mapping):
        complaints.add(where, f"must be a mapping, not {value!r}")
        return None
    hints = typing.get_type_hints(kind)
    fields = {one.name: one for one in dataclasses.fields(kind)}
    prefix = where if where.endswith(": ") else where + "."
    before = len(complaints.found)
    given: dict[str, object] = {}
    for name, item in value.items():
        if name in fields:
            given[name] = build(hints[name], item, prefix + name, complaints)
        else:
            complaints.unknown(f"{prefix}{name}", str(name), fields)
    for name, one in fields.items():
        has_default = one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
        if name not in given and not has_default:
            complaints.add(prefix + name, "is missing")
    return kind(**given) if len(complaints.found) == before else None
