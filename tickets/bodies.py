"""Bodies of the ticket routes as the OpenAPI document has them. Requests forbid what they do not name."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tickets.commands import Attribute, ChangeTicket, OpenTicket, WriteMessage
from tickets.machines.ticket import NEXT
from tickets.model import Author, ClockName, Priority, Status
from tickets.policies.clocks import Category, Reading, State
from tickets.views import MessageView, TicketDetail, TicketOptions, TicketPage, TicketView

Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$")]
Id = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9]+$")]
Subject = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(max_length=20)]
Text = Annotated[str, Field(max_length=20_000)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewTicket(_Wish):
    """A ticket to be opened. The same `command_id` sent again opens no second one; `text` is a first internal note.

    With the `contact` of a live call in which an agent talks to the customer, that talk is the first response.
    """

    subject: Subject
    command_id: Word | None = None
    text: Text = ""
    customer: Id | None = None
    contact: Id | None = None
    queue: Word | None = None
    assignee: Word | None = None
    priority: Priority = "normal"
    category: Word | None = None
    tags: Tags = []

    def command(self) -> OpenTicket:
        return OpenTicket(**{**self.model_dump(), "tags": tuple(self.tags)})


class NewMessage(_Wish):
    """Something to be added. `author` customer: what the customer wrote or said; `connected` is for calls."""

    kind: Literal["public_reply", "internal_note", "call"]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    author: Literal["agent", "customer"] = "agent"
    contact: Id | None = None
    connected: bool = False

    def command(self) -> WriteMessage:
        return WriteMessage(**self.model_dump())


class TicketWish(_Wish):
    """What is to be different; what is not named stays, null takes away. `version` is the one that was seen."""

    version: int
    status: Status = "open"
    priority: Priority = "normal"
    category: Word | None = None
    assignee: Word | None = None
    queue: Word | None = None
    subject: Subject = "-"
    tags: Tags = []
    contact: Id | None = None

    def command(self) -> ChangeTicket:
        named = self.model_dump(exclude_unset=True, exclude={"version", "contact"})
        values: dict[Attribute, Any] = {}
        values.update(named)  # type: ignore[arg-type]  # the fields of this model are attributes
        if "tags" in values:
            values["tags"] = tuple(self.tags)
        return ChangeTicket(self.version, values, self.contact)


class TicketOut(BaseModel):
    """A ticket as lists show it. Due times are of clocks that are open and not paused."""

    id: str
    number: int
    version: int
    subject: str
    status: Status
    priority: Priority
    category: str | None
    tags: list[str]
    queue: str | None
    assignee: str | None
    customer: str | None
    contact: str | None
    cycle: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    policy: str | None
    first_response_due_at: datetime | None
    first_response_verdict: Literal["met", "breached"] | None
    resolution_due_at: datetime | None
    resolution_verdict: Literal["met", "breached"] | None
    overdue: bool

    @classmethod
    def of(cls, ticket: TicketView) -> "TicketOut":
        return cls(**{**asdict(ticket), "tags": list(ticket.tags)})


class OptionsOut(BaseModel):
    """What forms offer; `next` has the statuses that may follow each."""

    categories: list[str]
    next: dict[Status, list[Status]]

    @classmethod
    def of(cls, options: TicketOptions) -> "OptionsOut":
        follow = {status: [one for one in NEXT if one in NEXT[status]] for status in NEXT}
        return cls(categories=list(options.categories), next=follow)


class TicketListOut(BaseModel):
    """One page; `next` is the `after` of the next one."""

    tickets: list[TicketOut]
    next: int | None

    @classmethod
    def of(cls, page: TicketPage) -> "TicketListOut":
        return cls(tickets=[TicketOut.of(ticket) for ticket in page.tickets], next=page.next)


class MessageOut(BaseModel):
    """One message; `author_id` is a user."""

    id: str
    at: datetime
    kind: Literal["public_reply", "internal_note", "call", "system"]
    author: Author
    author_id: str | None
    contact: str | None
    connected: bool
    text: str

    @classmethod
    def of(cls, message: MessageView) -> "MessageOut":
        return cls(**asdict(message))


class ChangeOut(BaseModel):
    """One line of history: who changed what from what to what."""

    at: datetime
    actor: str
    attribute: str
    before: Any
    after: Any


class IntervalOut(BaseModel):
    """A stretch of a clock and why it counts, pauses, or is a gap; `business_s` is the open time in it."""

    start: datetime
    end: datetime
    category: Category
    business_s: int
    status: Status
    policy: str
    calendar: str


class ClockOut(BaseModel):
    """A clock as it stands, in business seconds, and the intervals that explain it."""

    clock: ClockName
    cycle: int
    state: State
    target_s: int
    elapsed_s: int
    paused_s: int
    overdue_s: int
    started_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    intervals: list[IntervalOut]

    @classmethod
    def of(cls, reading: Reading) -> "ClockOut":
        return cls(
            clock=reading.clock,
            cycle=reading.cycle,
            state=reading.state,
            target_s=_seconds(reading.target),
            elapsed_s=_seconds(reading.elapsed),
            paused_s=_seconds(reading.paused),
            overdue_s=_seconds(reading.overdue),
            started_at=reading.started_at,
            due_at=reading.due_at,
            closed_at=reading.closed_at,
            intervals=[
                IntervalOut(
                    start=one.start,
                    end=one.end,
                    category=one.category,
                    business_s=_seconds(one.business),
                    status=one.status,
                    policy=one.policy,
                    calendar=one.calendar,
                )
                for one in reading.intervals
            ],
        )


class DetailOut(BaseModel):
    """Everything about a ticket."""

    ticket: TicketOut
    messages: list[MessageOut]
    history: list[ChangeOut]
    contacts: list[str]
    clocks: list[ClockOut]

    @classmethod
    def of(cls, detail: TicketDetail) -> "DetailOut":
        return cls(
            ticket=TicketOut.of(detail.ticket),
            messages=[MessageOut.of(message) for message in detail.messages],
            history=[ChangeOut(**asdict(change)) for change in detail.history],
            contacts=list(detail.contacts),
            clocks=[ClockOut.of(reading) for reading in detail.clocks],
        )


def _seconds(time: timedelta) -> int:
    return time // timedelta(seconds=1)
