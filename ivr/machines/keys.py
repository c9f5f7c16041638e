"""What a string of pressed keys means to a gather node."""

from typing import Literal

from ivr.model import GatherNode

Verdict = Literal["more", "done", "bad"]


def read_keys(node: GatherNode, typed: str) -> tuple[Verdict, str, str]:
    """(verdict, digits, the keys after them) for the keys `typed` so far.

    Done at the terminator with at least `min` digits, or at `max` digits (a terminator right behind belongs to them).
    Bad at the terminator with fewer, or at a key that is neither digit nor terminator.
    """
    for index, key in enumerate(typed):
        digits = typed[:index]
        if key == node.terminator:
            return "done" if len(digits) >= node.min else "bad", digits, typed[index + 1 :]
        if not key.isdigit():
            return "bad", digits, ""
        if index + 1 == node.max:
            return "done", typed[: node.max], typed[node.max :].removeprefix(node.terminator)
    return "more", typed, ""
