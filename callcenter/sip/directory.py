"""Who may speak SIP with us: trunks, known by their address, and phones, known by their password (telephony.md 2).

An immutable value, made from the configuration by somebody else and swapped whole at run time. Nothing is trusted for
being 127.0.0.1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callcenter.calls.ports import Codec
from callcenter.sip.hop import Hop


@dataclass(frozen=True, slots=True)
class Trunk:
    """A provider or PBX. `numbers` maps a dialled number to the flow that takes it; the room of calls reads it.

    Every `options_s` seconds it is asked whether it is there, 0: never; at `options_to`, else its first address.
    `trust_asserted`: its P-Asserted-Identity tells who calls where From names nobody (RFC 3325 section 8).
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    numbers: Mapping[str, str] = field(default_factory=dict)
    codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA)
    options_s: float = 0.0
    options_to: Hop | None = None
    trust_asserted: bool = False

    @property
    def probe(self) -> Hop:
        """Where OPTIONS goes."""
        address, port = self.addresses[0]
        return self.options_to or Hop("udp", address, port)


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone with a password. `ha1_*` are lower-case hex of H(user:realm:password).

    `contact` is the SIP URI, with an IP address for host, of a phone that does not register.
    """

    user: str
    ha1_md5: str = ""
    ha1_sha256: str = ""
    agent: str | None = None
    contact: str | None = None


class Directory:
    """Look-ups by what a message shows. Build a new one to change anything."""

    def __init__(self, realm: str, trunks: Iterable[Trunk] = (), phones: Iterable[Phone] = ()) -> None:
        """Later trunks never take an address from earlier ones; users are unique (checked by the configuration)."""
        self.realm = realm
        self.trunks: Mapping[str, Trunk] = {trunk.name: trunk for trunk in trunks}
        self.phones: Mapping[str, Phone] = {phone.user: phone for phone in phones}
        self._by_address: dict[tuple[str, int], Trunk] = {}
        self._by_host: dict[str, Trunk] = {}
        for trunk in self.trunks.values():
            for address, port in trunk.addresses:
                self._by_address.setdefault((address, port), trunk)
                self._by_host.setdefault(address, trunk)

    def trunk_at(self, hop: Hop) -> Trunk | None:
        """The trunk that speaks from `hop`: by address and port, over TCP by address alone."""
        if hop.transport == "udp":
            return self._by_address.get((hop.address, hop.port))
        return self._by_host.get(hop.address)

    def phone(self, user: str) -> Phone | None:
        return self.phones.get(user)
