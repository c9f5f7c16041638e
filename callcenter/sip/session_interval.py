"""Session timers, the decisions: how long a call may go unheard of, and who asks (RFC 4028 sections 5 to 10).

A peer that has died, or whose BYE was lost, is found by asking: the refresher sends a re-INVITE after half of the
interval, and a session that was not refreshed is ended a little before it runs out. A peer that knows no timers is
asked by us all the same, as section 9 lets us.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from callcenter.sip.message import Malformed, Message, Request, Response

OPTION = "timer"
LEAST_S = 90
LONGEST_S = 86_400
Refresher = Literal["us", "peer"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What we ask for, and the least that we take (RFC 4028 section 4 has 90 s for it). Seconds."""

    interval_s: int = 1800
    least_s: int = LEAST_S


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was agreed, and when the session was last heard of (journal time)."""

    interval_s: int
    refresher: Refresher
    since: datetime

    @property
    def deadline(self) -> datetime:
        """When we ask, or when the peer has failed to (section 10: a third or 32 s before the interval's end)."""
        if self.refresher == "us":
            return self.since + timedelta(seconds=self.interval_s / 2)
        return self.since + timedelta(seconds=self.interval_s - min(32.0, self.interval_s / 3))


def refuse_if_short(request: Request, rules: SessionRules) -> None:
    """Malformed(422) with Min-SE where the peer wants to be asked more often than we like (section 9)."""
    wanted, _ = _asked(request)
    if wanted is not None and wanted < rules.least_s:
        extra = (("Min-SE", str(rules.least_s)),)
        raise Malformed("session_interval", status=422, answerable=request.answerable, extra=extra)


def agree(request: Request, rules: SessionRules, now: datetime) -> tuple[Session, Headers]:
    """What holds once we have answered `request` with 2xx, and the header fields of that."""
    wanted, who = _asked(request)
    floor = max(rules.least_s, _least(request))
    interval = max(min(wanted or rules.interval_s, rules.interval_s), floor)
    knows = OPTION in request.tokens("supported") or OPTION in request.tokens("require")
    refresher: Refresher = "peer" if knows and who == "uac" else "us"
    session = Session(interval, refresher, now)
    if not knows and wanted is None:
        return session, (("Supported", OPTION),)
    told = f"{interval};refresher={'uac' if refresher == 'peer' else 'uas'}"
    required = (("Require", OPTION),) if knows else ()
    return session, (("Supported", OPTION), ("Session-Expires", told), *required)


def ask(rules: SessionRules, *, wanted_s: int, session: Session | None) -> Headers:
    """The header fields of an INVITE of ours: `wanted_s` is what a 422 asked for, 0 before one."""
    interval = session.interval_s if session else max(wanted_s, rules.interval_s)
    role = "" if session is None else f";refresher={'uac' if session.refresher == 'us' else 'uas'}"
    floor = (("Min-SE", str(wanted_s)),) if wanted_s else ()
    return (("Supported", OPTION), ("Session-Expires", f"{interval}{role}"), *floor)


def conclude(response: Response, rules: SessionRules, now: datetime) -> Session:
    """What holds with a 2xx to an INVITE of ours. Raises Malformed."""
    told, who = _asked(response)
    if told is None:
        return Session(rules.interval_s, "us", now)
    return Session(max(told, 10), "peer" if who == "uas" else "us", now)


def longer(response: Response, asked_s: int) -> int | None:
    """What a 422 wants at least, None where that is no more than we asked for. Raises Malformed."""
    floor = _least(response)
    return floor if asked_s < floor <= LONGEST_S else None


def _asked(message: Message) -> tuple[int | None, str]:
    value = message.headers.get("session-expires")
    if value is None:
        return None, ""
    seconds = message.seconds(value, "session_expires")
    parameters = (each.strip().lower().partition("=") for each in value.split(";")[1:])
    who = next((role.strip() for name, _, role in parameters if name.strip() == "refresher"), "")
    return min(seconds, LONGEST_S), who


def _least(message: Message) -> int:
    value = message.headers.get("min-se")
    return 0 if value is None else min(message.seconds(value, "min_se"), LONGEST_S)
