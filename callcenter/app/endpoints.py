"""Who may ring us, as files: `config/trunks.yaml` and `config/phones.yaml`.

A trunk is a provider or PBX, matched by address and port (over TCP by address alone); a phone registers as a user, or
has a fixed contact. Nothing is trusted for being near: 127.0.0.1 is an address like any other.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.app.dial_out_rules import OutboundText, read_address, read_rules
from callcenter.app.schema import Complaints, build
from callcenter.app.settings import read_yaml
from callcenter.director.machines.trunk_use import TrunkRules

CODECS = ("PCMU", "PCMA")
OPTIONS_S = 30.0
_USER = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Trunk:
    """`addresses` are (IPv4, port); `numbers` leads a dialled number to a flow, `default` the rest (None: 404).

    `outbound` is None where nothing goes out by it. Every `options_s` seconds it is asked for, 0: never.
    `trust_asserted`: P-Asserted-Identity tells who calls where From is anonymous.
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    numbers: dict[str, str]
    default: str | None
    codecs: tuple[str, ...]
    outbound: TrunkRules | None = None
    options_s: float = 0.0
    trust_asserted: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """`user` registers with its own password; `contact` is a fixed SIP URI instead of a registration."""

    user: str
    agent: str | None
    name: str
    contact: str | None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Both files. `dial` leads a number that a phone dials to a flow, `outside` is the flow for numbers outside."""

    trunks: tuple[Trunk, ...]
    phones: tuple[Phone, ...]
    dial: dict[str, str] = field(default_factory=dict)
    outside: str | None = None

    @property
    def trunks_outside(self) -> bool:
        """Whether any trunk is beyond this machine, so that SIP has to listen beyond loopback."""
        return any(not ipaddress.ip_address(host).is_loopback for trunk in self.trunks for host, _ in trunk.addresses)


@dataclass(frozen=True, slots=True)
class _TrunkText:
    name: str
    addresses: tuple[str, ...]
    numbers: dict[str, str] = field(default_factory=dict)
    default: str | None = None
    codecs: tuple[str, ...] = CODECS
    outbound: OutboundText | None = None
    options_s: float | None = None
    trust_asserted: bool = False


@dataclass(frozen=True, slots=True)
class _PhoneText:
    user: str
    agent: str | None = None
    name: str = ""
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class _TrunksFile:
    trunks: tuple[_TrunkText, ...] = ()


@dataclass(frozen=True, slots=True)
class _PhonesFile:
    phones: tuple[_PhoneText, ...] = ()
    dial: dict[str, str] = field(default_factory=dict)
    outside: str | None = None


def load_endpoints(config: Path) -> Endpoints:
    """Trunks and phones of folder `config`; either file may be missing. Raises ConfigError naming every wrong key."""
    complaints = Complaints()
    trunks_file = build(_TrunksFile, read_yaml(config / "trunks.yaml", missing={}), "trunks.yaml: ", complaints)
    phones_file = build(_PhonesFile, read_yaml(config / "phones.yaml", missing={}), "phones.yaml: ", complaints)
    complaints.raise_if_any()
    trunks = tuple(_trunk(text, f"trunks.yaml: trunks[{i}]", complaints) for i, text in enumerate(trunks_file.trunks))
    phones = tuple(_phone(text, f"phones.yaml: phones[{i}]", complaints) for i, text in enumerate(phones_file.phones))
    _refuse_repeats(trunks, phones, complaints)
    complaints.raise_if_any()
    return Endpoints(trunks, phones, phones_file.dial, phones_file.outside)


def _trunk(text: _TrunkText, where: str, complaints: Complaints) -> Trunk:
    addresses = [read_address(one, f"{where}.addresses[{i}]", complaints) for i, one in enumerate(text.addresses)]
    if not addresses:
        complaints.add(f"{where}.addresses", "must name at least one address")
    for i, codec in enumerate(text.codecs):
        if codec not in CODECS:
            complaints.add(f"{where}.codecs[{i}]", f"must be one of {', '.join(CODECS)}, not {codec!r}")
    rules = None
    if text.outbound is not None:
        rules = read_rules(text.outbound, text.name, addresses, f"{where}.outbound", complaints)
    every_s = (0.0 if rules is None else OPTIONS_S) if text.options_s is None else text.options_s
    if every_s < 0:
        complaints.add(f"{where}.options_s", "must be 0 (never) or more")
    return Trunk(
        text.name, tuple(addresses), text.numbers, text.default, text.codecs, rules, every_s, text.trust_asserted
    )


def _phone(text: _PhoneText, where: str, complaints: Complaints) -> Phone:
    if not _USER.fullmatch(text.user):
        complaints.add(f"{where}.user", f"must be letters, digits, '.', '_' or '-', not {text.user!r}")
    if text.contact is not None:
        match = re.fullmatch(r"sip:(?:[^@]+@)?([^@;]+)(?:;.*)?", text.contact)
        if match:
            read_address(match[1], f"{where}.contact", complaints)
        else:
            complaints.add(f"{where}.contact", f'must be such as "sip:1001@192.0.2.7:5060", not {text.contact!r}')
    return Phone(text.user, text.agent, text.name or text.user, text.contact)


def _refuse_repeats(trunks: tuple[Trunk, ...], phones: tuple[Phone, ...], complaints: Complaints) -> None:
    seen: set[object] = set()
    for i, trunk in enumerate(trunks):
        for what, key in (
            (f"trunks[{i}].name", trunk.name),
            *((f"trunks[{i}].addresses", a) for a in trunk.addresses),
        ):
            if key in seen:
                complaints.add(f"trunks.yaml: {what}", f"{key!r} is already a trunk's")
            seen.add(key)
    seen.clear()
    for i, phone in enumerate(phones):
        for what, own in (("user", phone.user), ("agent", phone.agent and f"agent {phone.agent}")):
            if own is not None and own in seen:
                complaints.add(f"phones.yaml: phones[{i}].{what}", f"{own!r} is already a phone's")
            seen.add(own)
