"""What the director needs beside the rooms: the site's configuration, the customer look-up and the consoles."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from acd.routing_config import Preference
from callcenter.calls.ports import Target
from callcenter.director.machines.callback import DEFAULTS, CallbackRules
from callcenter.director.machines.trunk_use import DialOutRules

Customer = Mapping[str, str | int | bool | None]


class CallerFound(NamedTuple):
    """Who a caller is, as far as a look-up can tell: the one customer or None, and how many it may be.

    `candidates` are the several, at most five, likeliest first: id, name, company, confidence (0..100).
    """

    customer: Customer | None = None
    matches: int = 0
    candidates: tuple[Customer, ...] = ()

    @property
    def id(self) -> str | None:
        """The customer's."""
        return None if self.customer is None else str(self.customer["id"])


class QueueCare(msgspec.Struct, frozen=True):
    """How a queue treats its callers beside routing them. Files are absolute; the recording starts at the bridge.

    `comfort` is said at times; `resume_s`: for so long one who was cut off finds his place again.
    """

    record: bool = False
    announcement: tuple[str, ...] = ()
    music: tuple[str, ...] = ()
    comfort: tuple[str, ...] = ()
    resume_s: int = 0
    callback: CallbackRules = DEFAULTS


class Pop(msgspec.Struct, frozen=True):
    """What the agent sees before the phone rings; the customer as in `CallerFound`."""

    offer: str
    contact: str
    queue: str
    agent: str
    caller: str
    caller_name: str
    customer: Customer | None
    matches: int
    ring_until: datetime
    candidates: tuple[Customer, ...] = ()


class Site(Protocol):
    """The configuration as calls need it; each look-up is a dictionary's."""

    def flow_for(self, source_kind: str, source: str, called: str) -> str | None:
        """The flow that takes the call, or None: 404."""
        ...

    @property
    def dial_out(self) -> DialOutRules:
        """What may be rung outside."""
        ...

    def wants_customer(self, flow: str) -> bool:
        """Whether the flow may need to know who calls: it queues its callers, or asks for it."""
        ...

    def agent_of_phone(self, user: str) -> str | None:
        """The agent whose phone that is."""
        ...

    def preferences(self, queue: str) -> tuple[Preference, ...]:
        """To whom the queue gives its callers first, or the next of them who can be waited for; nobody: empty."""
        ...

    def phone_of_agent(self, agent: str) -> str | None:
        """The phone that rings for the agent."""
        ...

    def has_phone(self, user: str) -> bool:
        """Whether there is such a phone, reachable or not."""
        ...

    def has_queue(self, queue: str) -> bool:
        """Whether there is such a queue."""
        ...

    def flow_of_number(self, number: str) -> str | None:
        """The flow behind a service number of the site."""
        ...

    def flow_named(self, name: str) -> str | None:
        """`name` where there is such a flow."""
        ...

    def place_sounds(self, position: int | None, wait_s: int | None, language: str) -> tuple[str, ...]:
        """The files that say a waiting caller's place and the wait to expect; none where a piece is missing."""
        ...

    def sound(self, prompt: str, language: str) -> tuple[str, ...]:
        """The file of a prompt, or nothing where the site has none."""
        ...

    def sound_s(self, files: tuple[str, ...]) -> float:
        """How long it takes to play them, in seconds; more rather than less where that is not known."""
        ...

    def queue_care(self, queue: str, language: str) -> QueueCare:
        """What callers of the queue hear, in `language` where there is a choice, and whether they are recorded."""
        ...


class Screens(Protocol):
    """The consoles; the event that ends an offer takes its pop off the screen."""

    def pop(self, pop: Pop) -> None:
        """Hand the pop to the agent's sockets, at once and without waiting."""
        ...

    def customer_known(self, contact: str, found: CallerFound) -> None:
        """The same for what is now known of the customer, to every screen that shows a pop of the contact."""
        ...


TargetFor = Callable[[str, str, str], Target | None]
"""(phone user, caller's number, caller's name) -> where to ring, None when it cannot be reached."""

TrunkUp = Callable[[str], bool]
"""Whether the trunk of that name answers; calls go round one that does not."""

LookUp = Callable[[str, str, str | None], None]
"""(contact, caller's number, id of the customer whom an agent chose): look the customer up, by id where there is one;
`Director.customer_found` is called when done, or never. Its customer may name his `owner` and his `last_agent`."""

SetAlarm = Callable[[str, str, datetime | None], None]
"""(kind, id, deadline): have `Director.tick(kind, id)` called then; None forgets it."""
