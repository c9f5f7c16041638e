"""The unit of work of the live side: everything that one input brings about, committed as one.

A driver opens a unit, runs the machines (which change memory at once), and submits it. The journal commits
events and state rows together with whatever else is queued; only then run the actions, in the order in which they
were added and in the order of the units: nothing that somebody could rely on leaves the process before the decision
behind it is on disk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

Action = Callable[[], None]
StateKey = tuple[str, str]


class Draft(msgspec.Struct, frozen=True):
    """An event before the writer has numbered it. `kind` is "event" (published) or "input" (for replay only)."""

    kind: str
    type: str
    subject: str
    data: Mapping[str, object]


@dataclass(slots=True)
class Unit:
    """One input's consequences. Not shared between inputs; submitted once."""

    now: datetime
    drafts: list[Draft] = field(default_factory=list)
    states: dict[StateKey, object | None] = field(default_factory=dict)
    personal: dict[str, Mapping[str, object]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    is_urgent: bool = False
    """Somebody outside waits for its actions."""

    def event(self, type_: str, subject: str, **data: object) -> None:
        """Record that `type_` (room.noun.past_verb) happened to `subject` (a contact, agent, queue ... id)."""
        self.drafts.append(Draft("event", type_, subject, data))

    def input(self, type_: str, subject: str, **data: object) -> None:
        """Record an input of a replayable core; it is journalled and published to nobody."""
        self.drafts.append(Draft("input", type_, subject, data))

    def save(self, kind: str, id_: str, state: object) -> None:
        """Upsert the state row (`kind`, `id_`). `state` is immutable: it is encoded later."""
        self.states[(kind, id_)] = state

    def delete(self, kind: str, id_: str) -> None:
        """Remove the state row."""
        self.states[(kind, id_)] = None

    def remember_person(self, contact: str, **data: object) -> None:
        """Merge personal data (numbers, names, collected values) into the erasable row of `contact`."""
        self.personal[contact] = {**self.personal.get(contact, {}), **data}

    def forget_person(self, contact: str) -> None:
        """Erase the personal row of `contact`, whatever this unit remembers of it included."""
        self.personal.pop(contact, None)
        self.forgotten.append(contact)

    def after_commit(self, action: Action, *, urgent: bool = True) -> None:
        """Run `action` on the loop once this unit is on disk. It must not raise and must not block.

        Without `urgent`, and if nothing else in the unit is, it may wait for the next commit or for 20 ms.
        """
        self.actions.append(action)
        self.is_urgent = self.is_urgent or urgent

    @property
    def is_empty(self) -> bool:
        """Nothing to write: the actions may run at once if no earlier unit is in flight."""
        return not (self.drafts or self.states or self.personal or self.forgotten)
