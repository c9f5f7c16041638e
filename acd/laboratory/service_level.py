"""The variants of the service level, each by its name (acd.md section 5); a bare "service level" means nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Levels:
    """What was counted of those who were queued; within the threshold includes the threshold itself.

    `answered` and `abandoned` are those that ended so, `offered` all who are counted at all (who still waits, or was
    sent elsewhere, is offered and neither). `left_in` is who was called back within the threshold.
    """

    offered: int = 0
    answered: int = 0
    answered_in: int = 0
    abandoned: int = 0
    abandoned_in: int = 0
    left_in: int = 0

    def named(self) -> dict[str, float | None]:
        """Each variant by its name, None where nobody is counted in it."""
        in_time = self.answered_in + self.abandoned_in
        return {
            "sl_answered": _part(self.answered_in, self.answered),
            "sl_sl2": _part(in_time, self.answered + self.abandoned),
            "sl_ignore_abandons": _part(self.answered_in, self.offered - self.abandoned_in),
            "sl_abandons_negative": _part(self.answered_in, self.offered),
            "sl_abandons_positive": _part(in_time, self.offered),
            "sl_queue": _part(in_time + self.left_in, self.offered),
        }


def _part(some: int, all_: int) -> float | None:
    return some / all_ if all_ > 0 else None
