"""`dataclasses.replace` for the frozen, slotted aggregates, at half of its cost.

Copying rows is the largest part of an offer (bench/acd_core.py); the fields need no `__init__` because none has a
`__post_init__`.
"""

from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["replaced"]

if TYPE_CHECKING:
    # So the names and types of the changes are checked as those of the original are.
    from dataclasses import replace as replaced
else:
    T = TypeVar("T")
    _plans: dict[type, tuple[attrgetter, tuple[Any, ...]]] = {}

    def replaced(old: T, **changes: object) -> T:
        """A copy of `old` with `changes`; AttributeError for a name that is no field."""
        kind = type(old)
        plan = _plans.get(kind)
        if plan is None:
            names = tuple(kind.__dataclass_fields__)
            plan = _plans[kind] = attrgetter(*names), tuple(getattr(kind, name).__set__ for name in names)
        values, setters = plan
        new = object.__new__(kind)
        for assign, value in zip(setters, values(old), strict=True):
            assign(new, value)
        for name, value in changes.items():
            object.__setattr__(new, name, value)
        return new
