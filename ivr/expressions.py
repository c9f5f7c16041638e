"""The expression language of flows: comparisons over a few names, parsed here, never given to `eval`.

    expr    = and { "or" and }            and  = not { "and" not }        not = "not" not | compare
    compare = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") sum ]
    sum     = atom { ("+" | "-") atom }
    atom    = number | "text" | true | false | null | [ expr, ... ] | ( expr )
            | name { "." name } | starts_with(expr, expr) | length(expr)

Names: caller, called (strings, "" when withheld), customer.x, vars.x, time.hour/minute/weekday/day/month/date.
What is not there is null. Nothing loops and nothing calls out. A template is text with `${expr}` in it.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Value = str | int | bool | None | tuple["Value", ...] | Mapping[str, "Value"]
Names = Mapping[str, Value]

ROOTS = ("caller", "called", "customer", "vars", "time")
TIME_FIELDS = ("hour", "minute", "weekday", "day", "month", "date")
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+)|(?P<text>"[^"]*"|'[^']*')|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<sign>==|!=|<=|>=|[<>+\-.,()\[\]]))"""
)
_SPLICE = re.compile(r"\$\{([^}]*)\}")
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_WORDS = {"and", "or", "not", "in", *_CONSTANTS}
_ORDERINGS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ExpressionError(Exception):
    """An expression that does not parse, or (at run time) compares what cannot be compared."""


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value

    def evaluate(self, names: Names) -> Value:  # noqa: ARG002  # one signature for every kind of expression
        return self.value


@dataclass(frozen=True, slots=True)
class Name:
    path: tuple[str, ...]

    def evaluate(self, names: Names) -> Value:
        value: Value = names
        for part in self.path:
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value


@dataclass(frozen=True, slots=True)
class Operation:
    """`sign` is an operator or a function's name; `parts` are its operands."""

    sign: str
    parts: tuple["Expression", ...]

    def evaluate(self, names: Names) -> Value:
        if self.sign == "or":
            return any(part.evaluate(names) for part in self.parts)
        if self.sign == "and":
            return all(part.evaluate(names) for part in self.parts)
        return _apply(self.sign, tuple(part.evaluate(names) for part in self.parts))


Expression = Constant | Name | Operation


def _apply(sign: str, values: tuple[Value, ...]) -> Value:
    if sign == "list":
        return values
    if sign == "not":
        return not values[0]
    if sign == "length":
        return _length(values[0])
    left, right = values
    if sign == "==":
        return left == right
    if sign == "!=":
        return left != right
    if sign == "in":
        return _contains(right, left)
    if sign == "starts_with":
        return isinstance(left, str) and isinstance(right, str) and left.startswith(right)
    if sign in _ORDERINGS:
        return _ORDERINGS[sign](_number(left), _number(right))
    return _number(left) + _number(right) if sign == "+" else _number(left) - _number(right)


def _number(value: Value) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)  # what a caller typed compares as a number
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ExpressionError("not a number")


def _contains(box: Value, value: Value) -> bool:
    if isinstance(box, str):
        return isinstance(value, str) and value in box
    return isinstance(box, tuple) and value in box


def _length(value: Value) -> int:
    return len(value) if isinstance(value, str | tuple) else 0


def parse(text: str) -> Expression:
    """The expression in `text`; raises ExpressionError saying what was found where."""
    parser = _Parser(text)
    expression = parser.disjunction(0)
    if parser.kind:
        raise ExpressionError(f"unexpected {parser.token!r} in {text!r}")
    return expression


def paths(expression: Expression) -> Iterator[tuple[str, ...]]:
    """Every name that `expression` reads, as its parts."""
    if isinstance(expression, Name):
        yield expression.path
    elif isinstance(expression, Operation):
        for part in expression.parts:
            yield from paths(part)


class _Parser:
    """Recursive descent over `text`, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind = ""
        self.token = ""
        self._advance()

    def _advance(self) -> str:
        taken = self.token
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            rest = self._text[self._at :].strip()
            if rest:
                raise ExpressionError(f"cannot read {rest!r} in {self._text!r}")
            self.kind = self.token = ""
            return taken
        self._at = match.end()
        self.kind = str(match.lastgroup)
        self.token = match.group(self.kind)
        return taken

    def _is(self, *tokens: str) -> bool:
        return self.kind in ("name", "sign") and self.token in tokens

    def _expect(self, token: str) -> None:
        if not self._is(token):
            raise ExpressionError(f"expected {token!r}, found {self.token or 'the end'!r} in {self._text!r}")
        self._advance()

    def disjunction(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise ExpressionError("nested too deep")
        parts = [self._conjunction(depth)]
        while self._is("or"):
            self._advance()
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Operation("or", tuple(parts))

    def _conjunction(self, depth: int) -> Expression:
        parts = [self._negation(depth)]
        while self._is("and"):
            self._advance()
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Operation("and", tuple(parts))

    def _negation(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise ExpressionError("nested too deep")
        if self._is("not"):
            self._advance()
            return Operation("not", (self._negation(depth + 1),))
        left = self._sum(depth)
        if self._is("==", "!=", "<", "<=", ">", ">=", "in"):
            return Operation(self._advance(), (left, self._sum(depth)))
        return left

    def _sum(self, depth: int) -> Expression:
        left = self._atom(depth)
        while self._is("+", "-"):
            left = Operation(self._advance(), (left, self._atom(depth)))
        return left

    def _atom(self, depth: int) -> Expression:
        if self.kind == "number":
            return Constant(int(self._advance()))
        if self.kind == "text":
            return Constant(self._advance()[1:-1])
        if self._is("("):
            self._advance()
            inner = self.disjunction(depth + 1)
            self._expect(")")
            return inner
        if self._is("["):
            self._advance()
            return Operation("list", self._items("]", depth))
        if self.kind == "name" and self.token not in _WORDS - set(_CONSTANTS):
            return self._name(depth)
        raise ExpressionError(f"expected a value, found {self.token or 'the end'!r} in {self._text!r}")

    def _items(self, close: str, depth: int) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self._is(close):
            items.append(self.disjunction(depth + 1))
            if not self._is(close):
                self._expect(",")
        self._advance()
        return tuple(items)

    def _name(self, depth: int) -> Expression:
        name = self._advance()
        if name in _CONSTANTS:
            return Constant(_CONSTANTS[name])
        arity = {"starts_with": 2, "length": 1}.get(name)
        if arity is not None:
            self._expect("(")
            items = self._items(")", depth)
            if len(items) != arity:
                raise ExpressionError(f"{name} takes {arity} values, not {len(items)}")
            return Operation(name, items)
        path = [name]
        while self._is("."):
            self._advance()
            if self.kind != "name":
                raise ExpressionError(f"expected a name after '.' in {self._text!r}")
            path.append(self._advance())
        if name not in ROOTS:
            raise ExpressionError(f"unknown name {name!r}; known: {', '.join(ROOTS)}")
        return Name(tuple(path))


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `${expr}` splices. One splice alone keeps its value's type."""

    parts: tuple[str | Expression, ...]

    def value(self, names: Names) -> Value:
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return self.parts[0].evaluate(names)
        return self.text(names)

    def text(self, names: Names) -> str:
        """The text; null is empty, true and false are words."""
        return "".join(part if isinstance(part, str) else _text(part.evaluate(names)) for part in self.parts)

    def paths(self) -> Iterator[tuple[str, ...]]:
        for part in self.parts:
            if not isinstance(part, str):
                yield from paths(part)


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise ExpressionError("a list or record has no text")


def parse_template(text: str) -> Template:
    """The template in `text`; raises ExpressionError."""
    parts: list[str | Expression] = []
    at = 0
    for match in _SPLICE.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        parts.append(parse(match.group(1)))
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    if any(isinstance(part, str) and "${" in part for part in parts):
        raise ExpressionError(f"'${{' without '}}' in {text!r}")
    return Template(tuple(parts))
