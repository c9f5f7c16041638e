"""The golden log that the server's fold and the browser's are both held to (tests/golden/live.json)."""

from pathlib import Path
from typing import Any

import msgspec

from callcenter.console.live import LiveView
from callcenter.console.protocol import Event, Heartbeat, Pop, PopUpdated, ServerFrame, Snapshot

GOLDEN = Path(__file__).parents[2] / "golden" / "live.json"


class Checkpoint(msgspec.Struct, frozen=True):
    """What a console knows `after` so many frames."""

    after: int
    rows: dict[str, Any]


class Log(msgspec.Struct, frozen=True):
    """Frames in order, and what they come to."""

    frames: list[dict[str, Any]]
    checkpoints: list[Checkpoint]


def read_log() -> Log:
    """The log of the repository."""
    return msgspec.json.decode(GOLDEN.read_bytes(), type=Log)


def fold(frames: list[dict[str, Any]]) -> object:
    """What a console knows after `frames`."""
    view = LiveView()
    for frame in frames:
        take(view, msgspec.convert(frame, Snapshot | Event | Pop | PopUpdated | Heartbeat))
    plain: object = msgspec.json.decode(msgspec.json.encode(_rows(view)))
    return plain


def take(view: LiveView, frame: ServerFrame) -> None:
    """One frame, as a client takes it."""
    match frame:
        case Snapshot():
            view.position = frame.positions["live"]
            view.agents = {row.id: row for row in frame.agents}
            view.contacts = {row.id: row for row in frame.contacts}
            view.entries = {row.id: row for row in frame.entries}
            view.offers = {row.id: row for row in frame.offers}
            view.pops = {pop.offer: pop for pop in frame.pops}
        case Event():
            view.apply(frame.event)
        case Pop():
            view.show_pop(frame)
        case PopUpdated():
            view.update_pop(frame)
        case Heartbeat():
            view.position = frame.positions["live"]


def _rows(view: LiveView) -> dict[str, object]:
    """By kind, in the view's order; of a pop, what a card shows."""
    return {
        "position": view.position,
        "agents": list(view.agents.values()),
        "contacts": list(view.contacts.values()),
        "entries": list(view.entries.values()),
        "offers": list(view.offers.values()),
        "pops": [{"offer": pop.offer, "agent": pop.agent, "customer": pop.customer} for pop in view.pops.values()],
    }
