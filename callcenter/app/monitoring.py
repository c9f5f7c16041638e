"""What monitoring scrapes: Prometheus' text format, version 0.0.4 (docs/metrics.md has the names).

Counters count since the application started, as Prometheus expects; gauges are of the moment. Labels are names of
queues, reasons and states: nothing of callers.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.kernel.events import Envelope

PREFIX = "callcenter_"
BUCKETS_S = (5, 10, 20, 30, 60, 120, 300, 600)
_OFFERS = {
    "acd.offer.accepted": "accepted",
    "acd.offer.declined": "declined",
    "acd.offer.timed_out": "missed",
    "acd.offer.rescinded": "rescinded",
    "acd.offer.failed": "unreached",
}
_LEFT = {"acd.entry.answered": "answered", "acd.entry.abandoned": "abandoned"}

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Histogram:
    """Waits in seconds, by bucket."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0

    def observe(self, seconds: float) -> None:
        """Take one in."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds


@dataclass(slots=True)
class EventMeter:
    """Counts what the bus publishes; a subscriber of it.

    `callbacks`: the entries that are none of callers who wait, so neither they nor their days of waiting are counted.
    """

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    offers: Counter[str] = field(default_factory=Counter)
    contacts: Counter[str] = field(default_factory=Counter)
    waits: dict[str, Histogram] = field(default_factory=dict)
    callbacks: set[str] = field(default_factory=set)

    def publish(self, event: Envelope) -> None:
        """Quick, because it is on the loop that the calls are on."""
        type_ = event.type
        if type_.startswith("acd.entry."):
            self._entry(type_, event.data)
        elif type_ in _OFFERS:
            self.offers[_OFFERS[type_]] += 1
        elif type_ == "calls.contact.ended":
            self.contacts[str(event.data.get("reason"))] += 1

    def _entry(self, type_: str, data: Mapping[str, object]) -> None:
        queue, entry = str(data.get("queue")), str(data.get("entry"))
        over = type_ in _LEFT or type_ == "acd.entry.ended"
        if type_ == "acd.entry.queued" and data.get("callback") is True:
            self.callbacks.add(entry)
        elif type_ == "acd.entry.queued":
            self.entered[queue] += 1
        elif over and entry in self.callbacks:
            self.callbacks.discard(entry)
        elif over:
            self.left[queue, _LEFT.get(type_) or str(data.get("outcome"))] += 1
            waited = data.get("wait_ms")
            if type_ == "acd.entry.answered" and isinstance(waited, int):
                self.waits.setdefault(queue, Histogram()).observe(waited / 1000)

    def text(self) -> Iterable[str]:
        """Its families."""
        yield from family(
            "queue_entered_total", "counter", "Callers who came into a queue.", by("queue", self.entered)
        )
        left = (
            (_labels(queue=queue, outcome=outcome), count) for (queue, outcome), count in sorted(self.left.items())
        )
        yield from family("queue_left_total", "counter", "Callers who left a queue, by how.", left)
        yield from family(
            "offers_total", "counter", "Offers to agents, by how they ended.", by("result", self.offers)
        )
        yield from family(
            "contacts_ended_total", "counter", "Contacts that ended, by why.", by("reason", self.contacts)
        )
        yield from self._histogram()

    def _histogram(self) -> Iterable[str]:
        name = f"{PREFIX}queue_wait_seconds"
        yield f"# HELP {name} Waits of answered callers."
        yield f"# TYPE {name} histogram"
        for queue, waits in sorted(self.waits.items()):
            count = 0
            for bound, in_bucket in zip((*BUCKETS_S, "+Inf"), waits.counts, strict=True):
                count += in_bucket
                yield f"{name}_bucket{_written(_labels(queue=queue, le=str(bound)))} {count}"
            yield f"{name}_sum{_written(_labels(queue=queue))} {waits.total_s:.3f}"
            yield f"{name}_count{_written(_labels(queue=queue))} {count}"


def family(name: str, kind: str, text: str, samples: Iterable[tuple[Labels, float]]) -> Iterable[str]:
    """The lines of one metric."""
    yield f"# HELP {PREFIX}{name} {text}"
    yield f"# TYPE {PREFIX}{name} {kind}"
    for labels, value in samples:
        yield (
            f"{PREFIX}{name}{_written(labels)} {value:g}"
            if isinstance(value, float)
            else (f"{PREFIX}{name}{_written(labels)} {value}")
        )


def by(label: str, counts: Mapping[str, float]) -> Sequence[tuple[Labels, float]]:
    """Samples with one label."""
    return [(_labels(**{label: name}), value) for name, value in sorted(counts.items())]


def one(value: float) -> Sequence[tuple[Labels, float]]:
    """A sample without labels."""
    return [((), value)]


def _labels(**labels: str) -> Labels:
    return tuple(labels.items())


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
