"""A line of waiting callers in order of their places: first, next, rank and leaving from anywhere without a scan."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from acd.policies.order import Place

_SLACK = 64


class Line:
    """Sorted places. Leaving at the front only moves a mark, so a long line costs no more than a short one."""

    __slots__ = ("_first", "_places")

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._first = 0

    def __len__(self) -> int:
        return len(self._places) - self._first

    def __iter__(self) -> Iterator[Place]:
        for index in range(self._first, len(self._places)):
            yield self._places[index]

    def join(self, place: Place) -> None:
        insort(self._places, place, lo=self._first)

    def leave(self, place: Place) -> None:
        """Raises KeyError when `place` is not in the line."""
        places = self._places
        index = bisect_left(places, place, lo=self._first)
        if index == len(places) or places[index] != place:
            raise KeyError(place)
        if index > self._first:
            del places[index]
            return
        self._first += 1
        if self._first > _SLACK and self._first * 2 > len(places):
            del places[: self._first]
            self._first = 0

    def rank(self, place: Place) -> int:
        """How many stand before `place`, which need not be in the line."""
        return bisect_left(self._places, place, lo=self._first) - self._first
