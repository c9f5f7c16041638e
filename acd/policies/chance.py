"""Weighted chance without a random source: the same entry and offer draw the same agent on any machine.

The draw is a digest of a text; a tree of sums over the agents' weights, in the order of their ids, finds the agent in
a logarithm, and keeps up with who comes and goes in another.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256


class Urn:
    """Agents with weights, of whom some are in it."""

    __slots__ = ("_ids", "_index", "_sums", "_total", "_weights")

    def __init__(self, weights: Mapping[str, int]) -> None:
        self._ids = sorted(weights)
        self._index = {id_: index for index, id_ in enumerate(self._ids)}
        self._weights = dict(weights)
        self._sums = [0] * (len(self._ids) + 1)
        self._total = 0

    def put(self, id_: str) -> None:
        self._add(id_, self._weights[id_])

    def take(self, id_: str) -> None:
        self._add(id_, -self._weights[id_])

    def draw(self, text: str, without: Collection[str]) -> str | None:
        """One of those in it but `without` (who must be in it), with the chance of his weight; None: nobody."""
        for id_ in without:
            self.take(id_)
        drawn = self._find(_number(text) % self._total) if self._total else None
        for id_ in without:
            self.put(id_)
        return drawn

    def _add(self, id_: str, weight: int) -> None:
        index = self._index[id_] + 1
        self._total += weight
        while index < len(self._sums):
            self._sums[index] += weight
            index += index & -index

    def _find(self, below: int) -> str:
        """Whose weight covers `below`, when the weights are laid end to end."""
        index, step = 0, 1 << (len(self._ids).bit_length() - 1)
        while step:
            ahead = index + step
            if ahead < len(self._sums) and self._sums[ahead] <= below:
                index = ahead
                below -= self._sums[ahead]
            step >>= 1
        return self._ids[index]


def urn_of(weights: Mapping[str, int], inside: Iterable[str]) -> Urn:
    """An urn for all of `weights` with some of them in it."""
    urn = Urn(weights)
    for id_ in inside:
        urn.put(id_)
    return urn


def _number(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")
