"""What the tickets room refuses, by name."""

from callcenter.kernel.errors import Conflict, IllegalTransition, NotFound
from tickets.model import Status


class TicketUnknown(NotFound):
    """There is no such ticket."""

    code = "ticket_unknown"


class TicketChanged(Conflict):
    """Somebody changed the ticket after the asker had read it; `data["version"]` is the present one."""

    code = "ticket_changed"


class StatusForbidden(IllegalTransition):
    """The status cannot follow the present one."""

    code = "ticket_status_forbidden"

    def __init__(self, before: Status, after: Status, event: object) -> None:
        super().__init__("ticket", before, event)
        self.message = f"A ticket that is {before} cannot become {after}."
        self.args = (self.message,)
        self.data = {"from": before, "to": after}


class TicketClosed(IllegalTransition):
    """A closed ticket takes internal notes and nothing else."""

    code = "ticket_closed"

    def __init__(self, event: object) -> None:
        super().__init__("ticket", "closed", event)
        self.message = "The ticket is closed: it takes internal notes and nothing else."
        self.args = (self.message,)
