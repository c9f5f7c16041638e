"""One line of the queue_log as Asterisk writes it: `time|callid|queue|agent|EVENT|parameters` (docs/queue_log.md).

The reporting tools that people own read it. Callers' numbers are no part of a stored line: they are put in when the
line is written out, from the erasable row of the contact, and a number that was withheld stays withheld.
"""

from dataclasses import dataclass
from datetime import datetime

from callcenter.numbers import normalise
from callcenter.reporting.visits import Visit

NONE = "NONE"
ANY = "US"  # the region matters to numbers that are none to us
ENTERQUEUE = "ENTERQUEUE"
# What would end a field or a line, or drive a terminal.
_UNSAFE = {ord("|"): "_", **dict.fromkeys((*range(32), *range(127, 160)), " ")}


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its caller. `contact` None: the line is of no call."""

    at: datetime
    event: str
    contact: str | None = None
    queue: str | None = None
    agent: str | None = None
    params: tuple[str | int, ...] = ()


def rendered(line: Line, caller: str | None = None) -> str:
    """The text of `line`, without its end; `caller` is the number as it was received."""
    params = line.params
    if line.event == ENTERQUEUE:
        params = ("", shown(caller), *params)
    head = (int(line.at.timestamp()), line.contact or NONE, line.queue or NONE, line.agent or NONE, line.event)
    return "|".join(safe(str(field)) for field in (*head, *(params or ("",))))


def shown(caller: str | None) -> str:
    """The number to write; empty for one that was withheld or is not known (any more)."""
    return "" if not caller or normalise(caller, region=ANY).kind == "withheld" else caller


def safe(text: str) -> str:
    """`text` as a field."""
    return text.translate(_UNSAFE)


def seconds(ms: int) -> int:
    """Whole seconds, as the log counts them."""
    return ms // 1000


def entered(visit: Visit) -> Line:
    """ENTERQUEUE(url, callerid, origpos); the first two are put in by `rendered`."""
    return Line(visit.queued_at, ENTERQUEUE, visit.contact, visit.queue, params=(visit.position,))


def connected(visit: Visit, at: datetime, ring_ms: int) -> Line:
    """CONNECT(hold time, channel of the agent, ring time)."""
    params = (seconds(visit.wait_ms), visit.channel or "", seconds(ring_ms))
    return Line(at, "CONNECT", visit.contact, visit.queue, visit.agent, params)


def completed(visit: Visit, at: datetime) -> Line:
    """COMPLETECALLER or COMPLETEAGENT(hold time, talk time, origpos), after who hung up."""
    event = "COMPLETECALLER" if visit.ended_by == "caller" else "COMPLETEAGENT"
    params = (seconds(visit.wait_ms), talked_s(visit, at), visit.position)
    return Line(at, event, visit.contact, visit.queue, visit.agent, params)


def transferred(visit: Visit, at: datetime, *, kind: str, target: str, attended: bool) -> Line:
    """BLINDTRANSFER(extension, context, hold time, talk time, origpos), ATTENDEDTRANSFER(to, hold, talk, origpos)."""
    times = (seconds(visit.wait_ms), talked_s(visit, at), visit.position)
    if attended:
        return Line(at, "ATTENDEDTRANSFER", visit.contact, visit.queue, visit.agent, (f"{kind}:{target}", *times))
    return Line(at, "BLINDTRANSFER", visit.contact, visit.queue, visit.agent, (target, kind, *times))


def left(visit: Visit, at: datetime, position: int, *, reason: str, key: str | None) -> Line:
    """ABANDON, EXITEMPTY, EXITWITHTIMEOUT(position, origpos, wait) or EXITWITHKEY(key, position, origpos, wait)."""
    params: tuple[str | int, ...] = (position, visit.position, seconds(visit.wait_ms))
    if key is not None:
        return Line(at, "EXITWITHKEY", visit.contact, visit.queue, params=(key, *params))
    event = "EXITWITHTIMEOUT"
    if visit.outcome == "abandoned" or (visit.outcome == "failed" and not visit.callback):
        event = "ABANDON"
    elif reason == "no_agents":
        event = "EXITEMPTY"
    return Line(at, event, visit.contact, visit.queue, params=params)


def not_taken(contact: str, queue: str, agent: str, at: datetime, rang_ms: int, *, cancelled: bool) -> Line:
    """RINGNOANSWER(ms) of an agent who let the call go, RINGCANCELED(ms) of one from whom it was taken."""
    return Line(at, "RINGCANCELED" if cancelled else "RINGNOANSWER", contact, queue, agent, (rang_ms,))


def member(event: str, at: datetime, queue: str, agent: str, *params: str | int) -> Line:
    """ADDMEMBER, REMOVEMEMBER, PAUSE(reason), UNPAUSE, PENALTY(penalty)."""
    return Line(at, event, None, queue, agent, params)


def talked_s(visit: Visit, at: datetime) -> int:
    """Seconds since the answer, in which the caller may have been on hold."""
    return 0 if visit.left_at is None else max(0, int((at - visit.left_at).total_seconds()))
