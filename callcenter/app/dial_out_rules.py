"""What a trunk may ring outside, as `outbound` of a trunk in `config/trunks.yaml` (security.md S15)."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from callcenter.app.schema import Complaints
from callcenter.director.machines.trunk_use import TrunkRules

_START = re.compile(r"\+?[0-9]{1,20}|\+")
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_COUNTS = ("calls", "per_minute", "per_day", "longest_min")


@dataclass(frozen=True, slots=True)
class OutboundText:
    """`to` is one of the trunk's addresses, the first by default; `allow` and `deny` are beginnings of numbers."""

    caller_id: str
    allow: tuple[str, ...]
    deny: tuple[str, ...] = ()
    to: str | None = None
    transport: Literal["udp", "tcp"] = "udp"
    plus: str = "+"
    pass_caller: bool = False
    calls: int = 2
    per_minute: int = 10
    per_day: int = 200
    longest_min: int = 120


def read_rules(
    text: OutboundText, trunk: str, addresses: Sequence[tuple[str, int]], where: str, complaints: Complaints
) -> TrunkRules:
    """The rules of trunk `trunk`; what is wrong with them goes to `complaints`."""
    for name, starts in (("allow", text.allow), ("deny", text.deny)):
        for index, start in enumerate(starts):
            if not _START.fullmatch(start):
                what = f'must be the beginning of a number such as "+41" or "0800", not {start!r}'
                complaints.add(f"{where}.{name}[{index}]", what)
    if not text.allow:
        complaints.add(f"{where}.allow", "must name at least one beginning of a number")
    if not _NUMBER.fullmatch(text.caller_id):
        complaints.add(f"{where}.caller_id", f'must be a number such as "+41441234567", not {text.caller_id!r}')
    if not re.fullmatch(r"\+|[0-9]{0,4}", text.plus):
        complaints.add(f"{where}.plus", f'must be "+", digits such as "00", or "", not {text.plus!r}')
    for name in _COUNTS:
        if getattr(text, name) < 1:
            complaints.add(f"{where}.{name}", "must be at least 1")
    address = addresses[0] if addresses else ("", 0)
    if text.to is not None:
        address = read_address(text.to, f"{where}.to", complaints)
        if address not in addresses:
            complaints.add(f"{where}.to", f"must be one of the trunk's addresses, not {text.to!r}")
    return TrunkRules(
        trunk,
        address,
        text.transport,
        text.caller_id,
        text.allow,
        text.deny,
        text.plus,
        text.pass_caller,
        text.calls,
        text.per_minute,
        text.per_day,
        text.longest_min * 60,
    )


def read_address(text: str, where: str, complaints: Complaints) -> tuple[str, int]:
    """IPv4 and port of `text`, port 5060 where it names none."""
    host, _, port = text.partition(":")
    try:
        ipaddress.IPv4Address(host)
        number = int(port or 5060)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        complaints.add(where, f'must be such as "192.0.2.7:5060", not {text!r}')
    return host, number
