"""From a YAML document to a `Flow`, collecting every fault of form: kinds, keys, types, bounds, expressions.

Whether names lead anywhere is for `ivr.checks`.
"""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from callcenter.kernel.codec import encode
from ivr.errors import Problem
from ivr.expressions import Expression, ExpressionError, Template, parse, parse_template
from ivr.model import (
    NODE_KINDS,
    BranchNode,
    CallbackNode,
    Case,
    DialNode,
    EchoNode,
    Flow,
    GatherNode,
    HangupNode,
    HoursNode,
    MenuNode,
    Node,
    PlayNode,
    Priority,
    Prompt,
    QueueNode,
    RecordNode,
    Say,
    Scalar,
    SetNode,
    VoicemailNode,
)

T = TypeVar("T")
KEYS = "0123456789*#ABCD"
CALLER = "${caller}"
KINDS = tuple(sorted(kind.kind for kind in NODE_KINDS))
_NOTHING = object()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean "x"?' when a known word is close, else an empty string."""
    close = difflib.get_close_matches(str(word), sorted(known), 1)
    return f'; did you mean "{close[0]}"?' if close else ""


class Fields:
    """The keys of one mapping; each getter checks one and notes what is wrong with it."""

    def __init__(self, file: str, node: str, raw: Mapping[str, object], problems: list[Problem]) -> None:
        self._file = file
        self._node = node
        self._raw = raw
        self._problems = problems
        self._seen: set[str] = set()

    def wrong(self, key: str, message: str) -> None:
        self._problems.append(Problem(self._file, self._node, key, message))

    def raw(self, key: str, default: object = _NOTHING) -> object:
        self._seen.add(key)
        if key in self._raw:
            return self._raw[key]
        if default is _NOTHING:
            self.wrong(key, "is missing")
            return None
        return default

    def finish(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._raw:
            if key not in self._seen:
                self.wrong(str(key), f"is not a key here{did_you_mean(key, self._seen)}")

    def text(self, key: str, default: object = _NOTHING) -> str:
        value = self.raw(key, default)
        if isinstance(value, str) and (value or default == ""):
            return value
        if value is not None:
            self.wrong(key, "must be text")
        return ""

    def target(self, key: str, *, required: bool = True) -> str:
        """The name of a node; an optional one may be left out (empty)."""
        if required and key not in self._raw:
            self._seen.add(key)
            self.wrong(key, "missing branch")
            return ""
        return self.text(key, "")

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "must be true or false")
            return default
        return value

    def integer(self, key: str, low: int, high: int, default: object = _NOTHING) -> int:
        value = self.raw(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if value is not None:
            self.wrong(key, f"must be a whole number from {low} to {high}")
        return low

    def seconds(self, key: str, high: float, default: object = _NOTHING) -> float:
        value = self.raw(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= high:
            return float(value)
        if value is not None:
            self.wrong(key, f"must be seconds, above 0 and at most {high:g}")
        return 1.0

    def key(self, key: str, default: str) -> str:
        """One telephone key, or nothing."""
        value = self.raw(key, default)
        if value == "" or (isinstance(value, str) and len(value) == 1 and value in KEYS):
            return str(value)
        self.wrong(key, f"bad digit {value!r}: one of {KEYS} in quotes")
        return default

    def mapping(self, key: str, default: object = _NOTHING) -> Mapping[str, object]:
        value = self.raw(key, default)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong(key, "must be a mapping")
        return {}

    def prompts(self, key: str, default: object = _NOTHING) -> tuple[Prompt, ...]:
        value = self.raw(key, default)
        items = value if isinstance(value, list | tuple) else [value]
        if value is not None and default is _NOTHING and not items:
            self.wrong(key, "names no prompt")
        return tuple(prompt for item in items if item is not None and (prompt := self._prompt(key, item)) is not None)

    def _prompt(self, key: str, item: object) -> Prompt | None:
        if isinstance(item, str) and item:
            return item
        if isinstance(item, dict) and len(item) == 1:
            [(style, text)] = item.items()
            if style in ("say_digits", "say_number"):
                what = self._parsed(key, parse_template, text)
                return None if what is None else Say("digits" if style == "say_digits" else "number", what)
        self.wrong(key, f"{item!r} is neither a prompt nor say_digits or say_number")
        return None

    def template(self, key: str, default: object = _NOTHING) -> Template:
        return self._parsed(key, parse_template, self.raw(key, default)) or Template(())

    def condition(self, key: str, text: object) -> Expression | None:
        return self._parsed(key, parse, text)

    def template_of(self, key: str, text: str) -> Template | None:
        return self._parsed(key, parse_template, text)

    def _parsed(self, key: str, parser: Callable[[str], T], text: object) -> T | None:
        if text is None:
            return None
        if not isinstance(text, str):
            self.wrong(key, "must be text (quotes around it?)")
            return None
        try:
            return parser(text)
        except ExpressionError as error:
            self.wrong(key, str(error))
            return None

    def inner(self, key: str, raw: Mapping[str, object]) -> "Fields":
        """The keys of a mapping inside this one, reported under the same node."""
        return _Inner(self._file, self._node, key, raw, self._problems)


class _Inner(Fields):
    def __init__(self, file: str, node: str, prefix: str, raw: Mapping[str, object], problems: list[Problem]) -> None:
        super().__init__(file, node, raw, problems)
        self._prefix = prefix

    def wrong(self, key: str, message: str) -> None:
        super().wrong(f"{self._prefix}.{key}", message)


def _play(f: Fields, name: str, on_error: str) -> Node:
    return PlayNode(
        name=name,
        on_error=on_error,
        prompts=f.prompts("prompts"),
        next=f.target("next"),
        barge_in=f.flag("barge_in", default=False),
    )


def _by_digit(f: Fields, name: str, default: object = _NOTHING) -> dict[str, str]:
    """The branches of a mapping from telephone keys."""
    digits: dict[str, str] = {}
    for key, target in f.mapping(name, default).items():
        if not isinstance(key, str) or len(key) != 1 or key not in KEYS:
            f.wrong(f"{name}.{key}", f"bad digit {key!r}: one of {KEYS} in quotes")
        elif not isinstance(target, str) or not target:
            f.wrong(f"{name}.{key}", "missing branch")
        else:
            digits[key] = target
    return digits


def _menu(f: Fields, name: str, on_error: str) -> Node:
    digits = _by_digit(f, "digits")
    if not digits:
        f.wrong("digits", "no usable digit")
    return MenuNode(
        name=name,
        on_error=on_error,
        digits=digits,
        prompts=f.prompts("prompts"),
        invalid_prompts=f.prompts("invalid_prompts", ()),
        timeout_prompts=f.prompts("timeout_prompts", ()),
        timeout_s=f.seconds("timeout_s", 120, 5),
        tries=f.integer("tries", 1, 10, 3),
        on_timeout=f.target("on_timeout"),
        on_invalid=f.target("on_invalid"),
        barge_in=f.flag("barge_in", default=True),
    )


def _gather(f: Fields, name: str, on_error: str) -> Node:
    node = GatherNode(
        name=name,
        on_error=on_error,
        prompts=f.prompts("prompts"),
        invalid_prompts=f.prompts("invalid_prompts", ()),
        timeout_prompts=f.prompts("timeout_prompts", ()),
        into=f.text("into"),
        min=f.integer("min", 1, 32, 1),
        max=f.integer("max", 1, 32),
        terminator=f.key("terminator", "#"),
        timeout_s=f.seconds("timeout_s", 120, 5),
        interdigit_s=f.seconds("interdigit_s", 60, 3),
        tries=f.integer("tries", 1, 10, 3),
        masked=f.flag("masked", default=False),
        barge_in=f.flag("barge_in", default=True),
        next=f.target("next"),
        on_timeout=f.target("on_timeout"),
        on_invalid=f.target("on_invalid"),
    )
    if node.min > node.max:
        f.wrong("min", f"is above max ({node.min} > {node.max})")
    if node.terminator.isdigit():
        f.wrong("terminator", f"bad digit {node.terminator!r}: a digit cannot end digits")
    return node


def _hours(f: Fields, name: str, on_error: str) -> Node:
    calendar, open_, closed = f.text("calendar"), f.target("open"), f.target("closed")
    return HoursNode(name=name, on_error=on_error, calendar=calendar, open=open_, closed=closed)


def _set(f: Fields, name: str, on_error: str) -> Node:
    values: dict[str, Scalar | Template] = {}
    for key, value in f.mapping("values").items():
        if isinstance(value, str) and "${" in value:
            template = f.template_of(f"values.{key}", value)
            if template is not None:
                values[str(key)] = template
        elif value is None or isinstance(value, str | int):
            values[str(key)] = value
        else:
            f.wrong(f"values.{key}", "must be text, a whole number, true, false or null")
    return SetNode(name=name, on_error=on_error, values=values, next=f.target("next"))


def _branch(f: Fields, name: str, on_error: str) -> Node:
    cases: list[Case] = []
    raw = f.raw("cases")
    if not isinstance(raw, list) or not raw:
        f.wrong("cases", "must be a list of {if, next}")
        raw = []
    for number, item in enumerate(raw, 1):
        if not isinstance(item, dict):
            f.wrong(f"case_{number}", "must be {if, next}")
            continue
        inner = f.inner(f"case_{number}", item)
        condition, target = inner.condition("if", inner.raw("if")), inner.target("next")
        inner.finish()
        if condition is not None:
            cases.append(Case(condition, target))
    return BranchNode(name=name, on_error=on_error, cases=tuple(cases), otherwise=f.target("else"))


def _dial(f: Fields, name: str, on_error: str) -> Node:
    return DialNode(
        name=name,
        on_error=on_error,
        target=f.template("target"),
        ring_s=f.integer("ring_s", 1, 300, 20),
        record=f.flag("record", default=False),
        announcement=f.prompts("announcement", ()),
        ringback=f.prompts("ringback", ("ringback",)),
        next=f.target("next"),
        on_busy=f.target("on_busy"),
        on_no_answer=f.target("on_no_answer"),
        on_declined=f.target("on_declined"),
        on_unreachable=f.target("on_unreachable"),
    )


def _echo(f: Fields, name: str, on_error: str) -> Node:
    seconds = None if f.raw("seconds", None) is None else f.seconds("seconds", 3600)
    exit_ = f.key("exit", "")
    next_ = f.target("next", required=seconds is not None or bool(exit_))
    if next_ and seconds is None and not exit_:
        f.wrong("next", "is never taken: give seconds or exit")
    return EchoNode(name=name, on_error=on_error, seconds=seconds, exit=exit_, next=next_)


def _record(f: Fields, name: str, on_error: str) -> Node:
    return RecordNode(
        name=name,
        on_error=on_error,
        prompts=f.prompts("prompts", ()),
        beep=f.flag("beep", default=True),
        max_s=f.integer("max_s", 1, 3600, 120),
        terminator=f.key("terminator", "#"),
        next=f.target("next"),
    )


def _voicemail(f: Fields, name: str, on_error: str) -> Node:
    priority = f.text("priority", "normal")
    if priority not in get_args(Priority):
        f.wrong("priority", f"must be one of {', '.join(get_args(Priority))}, not {priority!r}")
    return VoicemailNode(
        name=name,
        on_error=on_error,
        prompts=f.prompts("prompts", ("leave-message",)),
        beep=f.flag("beep", default=True),
        max_s=f.integer("max_s", 1, 3600, 120),
        terminator=f.key("terminator", "#"),
        next=f.target("next"),
        category=f.text("category", "voicemail"),
        priority=priority,
        queue=f.text("queue", ""),
    )


def _queue(f: Fields, name: str, on_error: str) -> Node:
    skills: dict[str, int] = {}
    for skill, level in f.mapping("skills", {}).items():
        if isinstance(level, int) and not isinstance(level, bool) and 1 <= level <= 10:
            skills[str(skill)] = level
        else:
            f.wrong(f"skills.{skill}", "must be a level from 1 to 10")
    return QueueNode(
        name=name,
        on_error=on_error,
        queue=f.text("queue"),
        skills=skills,
        priority=f.integer("priority", 1, 99, 50),
        music=f.prompts("music", ("music",)),
        next=f.target("next"),
        on_timeout=f.target("on_timeout"),
        on_full=f.target("on_full"),
        on_no_agents=f.target("on_no_agents", required=False),
        on_cancelled=f.target("on_cancelled", required=False),
        announce=f.flag("announce", default=True),
        comfort=f.prompts("comfort", ()),
        exits=_by_digit(f, "exits", {}),
        head_start_s=f.integer("head_start_s", 0, 86_400, 0),
        preferred=f.template("preferred", ""),
    )


def _callback(f: Fields, name: str, on_error: str) -> Node:
    return CallbackNode(
        name=name,
        on_error=on_error,
        number=f.template("number", CALLER),
        queue=f.text("queue", ""),
        next=f.target("next"),
        on_refused=f.target("on_refused"),
    )


def _hangup(f: Fields, name: str, on_error: str) -> Node:
    reason, status = f.text("reason", "flow"), f.integer("status", 400, 699, 480)
    return HangupNode(name=name, on_error=on_error, reason=reason, status=status)


_READERS: dict[str, Callable[[Fields, str, str], Node]] = {
    "play": _play,
    "menu": _menu,
    "gather": _gather,
    "hours": _hours,
    "set": _set,
    "branch": _branch,
    "dial": _dial,
    "echo": _echo,
    "record": _record,
    "voicemail": _voicemail,
    "queue": _queue,
    "callback": _callback,
    "hangup": _hangup,
}


def read_flow(file: str, raw: object, problems: list[Problem]) -> Flow | None:
    """The flow in the parsed document `raw`; what is wrong goes to `problems`. None when it is no flow at all."""
    if not isinstance(raw, dict):
        problems.append(Problem(file, "", "", "must be a mapping with name, language, start and nodes"))
        return None
    fields = Fields(file, "", raw, problems)
    name, language, zone = fields.text("name"), fields.text("language"), fields.text("zone", "UTC")
    languages = _languages(fields, language)
    start = fields.target("start")
    on_error = fields.target("on_error", required=False)
    raw_nodes = fields.mapping("nodes")
    fields.finish()
    _check_zone(fields, zone)
    nodes: dict[str, Node] = {}
    for key, value in raw_nodes.items():
        node = _read_node(file, str(key), value, on_error, problems)
        if node is not None:
            nodes[node.name] = node
    source = _canonical(raw)
    version = hashlib.sha256(encode(source)).hexdigest()[:16]
    return Flow(name, version, language, languages, zone, start, nodes, source)


def _read_node(file: str, name: str, raw: object, default_error: str, problems: list[Problem]) -> Node | None:
    if not isinstance(raw, dict):
        problems.append(Problem(file, name, "", "must be a mapping with a kind"))
        return None
    fields = Fields(file, name, raw, problems)
    kind = fields.text("kind")
    reader = _READERS.get(kind)
    if reader is None:
        if kind:
            fields.wrong("kind", f'unknown kind "{kind}"{did_you_mean(kind, KINDS)}')
        return None
    on_error = ""
    if kind != "hangup":
        on_error = fields.target("on_error", required=not default_error) or default_error
    node = reader(fields, name, on_error)
    fields.finish()
    return node


def _languages(fields: Fields, language: str) -> tuple[str, ...]:
    raw = fields.raw("languages", [])
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        fields.wrong("languages", "must be a list of languages")
        return (language,)
    return tuple(dict.fromkeys([language, *raw]))


def _check_zone(fields: Fields, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        fields.wrong("zone", f"unknown time zone {zone!r}")


def _canonical(document: Mapping[object, object]) -> dict[str, object]:
    """`document` with text keys and plain values only: what is hashed and stored."""
    return {str(key): _plain(value) for key, value in document.items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return _canonical(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
