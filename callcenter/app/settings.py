"""What can be set, and what holds where nothing is set.

Later beats earlier: the defaults below, `config/settings.yaml`, environment (`CALLCENTER_SIP_PORT` is `sip.port`),
flags. Read once at start; the supervisor hands the outcome to the application, so both see the same.
"""

import dataclasses
import ipaddress
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcenter.app.schema import Complaints, build, parse_text
from callcenter.kernel.errors import ConfigError

FILE = "settings.yaml"
PREFIX = "CALLCENTER_"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The web side: console and API."""

    bind: str = LOOPBACK
    port: int = 8080
    origins: tuple[str, ...] = ()  # what a browser may call us besides our own address (behind a proxy)


@dataclass(frozen=True, slots=True)
class SipSettings:
    """The SIP listeners. `bind` unset: loopback, until a trunk outside of it is configured (see `bind_address`)."""

    bind: str | None = None
    port: int = 5060
    udp: bool = True
    tcp: bool = True
    public_address: str | None = None  # what goes into Contact, Via and c= behind a 1:1 NAT
    realm: str | None = None  # of digest; fixed at first start where it is not set
    session_s: int = 1800  # after how long a call's peer must have shown itself, and the least that we let it ask for
    session_min_s: int = 90


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The media workers. `workers` 0 means one for each core."""

    workers: int = 0
    ports: str = "20000-20999"
    silence_s: float = 60.0


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Where the people are."""

    name: str = "callcenter"
    zone: str = "UTC"
    region: str = "US"  # ISO 3166, for numbers dialled without a country code
    language: str = "en"


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What is refused, to protect what already runs. Trunks are exempt from the limits per source."""

    invites_per_s: float = 300.0
    per_source_per_s: float = 50.0
    per_source_burst: int = 100
    calls: int = 2000
    tcp_connections: int = 512
    journal_lag_ms: int = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, checked. `recordings` unset is DATA/recordings, `database_url` unset is DATA/site.db."""

    http: HttpSettings = field(default_factory=HttpSettings)
    sip: SipSettings = field(default_factory=SipSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    site: SiteSettings = field(default_factory=SiteSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    data: str = "data"
    database_url: str | None = None
    redis_url: str | None = None
    recordings: str | None = None
    drain_s: float = 60.0
    journal_days: float = 2.0
    decision_days: float = 90.0  # how long a decision can be explained
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def data_dir(self) -> Path:
        """The folder that holds everything that must outlive a restart; absolute."""
        return Path(self.data).absolute()

    @property
    def recordings_dir(self) -> Path:
        """Where recordings go; absolute."""
        return Path(self.recordings).absolute() if self.recordings else self.data_dir / "recordings"

    @property
    def site_database_url(self) -> str:
        """The site database as SQLAlchemy names it, asynchronous driver included."""
        url = self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'site.db'}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url

    @property
    def rtp_ports(self) -> tuple[int, int]:
        """First and last RTP port, both inclusive."""
        first, _, last = self.media.ports.partition("-")
        return int(first), int(last)

    @property
    def worker_count(self) -> int:
        """How many media workers run."""
        return self.media.workers or os.cpu_count() or 1

    def bind_address(self, *, trunks_outside: bool) -> str:
        """Where SIP and RTP listen: as set, else loopback until a trunk outside of it is configured."""
        return self.sip.bind or ("0.0.0.0" if trunks_outside else LOOPBACK)  # noqa: S104 - a trunk asked for it

    def to_json(self) -> str:
        """For the application; `from_json` reads it back."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def from_json(text: str) -> Settings:
    """The settings that a supervisor resolved; raises ConfigError if they are of another version."""
    complaints = Complaints()
    built = build(Settings, json.loads(text), "settings: ", complaints)
    complaints.raise_if_any()
    return typing.cast(Settings, built)


def load_settings(
    config: Path, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """The settings of folder `config`, overridden by `environ` and then by `flags` (dotted key -> value or None).

    Raises ConfigError that names every wrong key and where it was set.
    """
    environ = os.environ if environ is None else environ
    complaints = Complaints()
    sources: dict[str, str] = {}
    values = _flatten(read_yaml(config / FILE, missing={}), FILE, sources, complaints)
    kinds = keys_of(Settings)
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in IGNORED:
            key = ENVIRONMENT.get(name)
            if key is None:
                complaints.unknown(f"environment: {name}", name, ENVIRONMENT)
            else:
                values[key], sources[key] = parse_text(text, kinds[key]), f"environment: {name}"
    for key, value in (flags or {}).items():
        if value is not None:
            values[key], sources[key] = value, f"flag: {key}"
    settings = _assemble(values, sources, complaints)
    complaints.raise_if_any()
    return settings


def read_yaml(path: Path, *, missing: object = None) -> object:
    """The document in `path`; `missing` where there is no such file. Raises ConfigError with file and line."""
    import yaml  # noqa: PLC0415 - only who reads files pays for it: the supervisor module stays plain

    if not path.exists():
        return missing
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: {' '.join(str(error).split())}") from error
    return missing if loaded is None else loaded


def keys_of(kind: type, prefix: str = "") -> dict[str, object]:
    """Each dotted key below dataclass `kind` with its type."""
    found: dict[str, object] = {}
    for name, hint in typing.get_type_hints(kind).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found |= keys_of(hint, f"{prefix}{name}.")
        else:
            found[prefix + name] = hint
    return found


ENVIRONMENT = {PREFIX + key.replace(".", "_").upper(): key for key in keys_of(Settings)}
# Read by the command line itself: where config/ is.
IGNORED = frozenset({PREFIX + "CONFIG"})


def _flatten(document: object, source: str, sources: dict[str, str], complaints: Complaints) -> dict[str, object]:
    if not isinstance(document, Mapping):
        complaints.add(source, "must be a mapping of settings")
        return {}
    kinds = keys_of(Settings)
    groups = {key.partition(".")[0] for key in kinds if "." in key}
    values: dict[str, object] = {}
    for name, item in document.items():
        if name in groups and isinstance(item, Mapping):
            leaves = {f"{name}.{key}": leaf for key, leaf in item.items()}
        elif name in groups:
            complaints.add(f"{source}: {name}", "must be a mapping")
            continue
        else:
            leaves = {str(name): item}
        for key, leaf in leaves.items():
            if key in kinds:
                values[key], sources[key] = leaf, f"{source}: {key}"
            else:
                complaints.unknown(f"{source}: {key}", key, [*kinds, *groups])
    return values


def _assemble(values: Mapping[str, object], sources: Mapping[str, str], complaints: Complaints) -> Settings:
    """Build each key by its type, then check what no type can say."""
    kinds = keys_of(Settings)
    good: dict[str, object] = {}
    for key, value in values.items():
        before = len(complaints.found)
        built = build(kinds[key], value, sources[key], complaints)
        problem = _problem(key, built) if len(complaints.found) == before else None
        if problem:
            complaints.add(sources[key], f"{problem}, not {value!r}")
        elif len(complaints.found) == before:
            good[key] = built
    groups: dict[str, object] = {}
    for name, hint in typing.get_type_hints(Settings).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            own = {key.partition(".")[2]: value for key, value in good.items() if key.startswith(name + ".")}
            groups[name] = hint(**own)
        elif name in good:
            groups[name] = good[name]
    return Settings(**groups)  # type: ignore[arg-type]  # each value was built by its own type above


def _problem(key: str, value: object) -> str | None:
    """What is wrong with a value of the right type, or None."""
    check = CHECKS.get(key)
    return check(value) if check and value is not None else None


def _port(value: typing.Any) -> str | None:
    return None if 0 <= value <= 65535 else "must be a port (0 takes a free one)"


def _address(value: typing.Any) -> str | None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return "must be an IPv4 address of this machine"
    return None


def _port_range(value: typing.Any) -> str | None:
    first, _, last = value.partition("-")
    if not (first.isdigit() and last.isdigit() and 1024 <= int(first) < int(last) <= 65535):
        return 'must be a range of ports such as "20000-20999"'
    if int(first) % 2 or not int(last) % 2:
        return "must begin even and end odd (RTP takes the even port, RTCP the next)"
    return None


def _zone(value: typing.Any) -> str | None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        return "must be an IANA time zone such as Europe/Vienna"
    return None


def _positive(value: typing.Any) -> str | None:
    return None if value > 0 else "must be above 0"


def _not_negative(value: typing.Any) -> str | None:
    return None if value >= 0 else "must be 0 or more"


def _region(value: typing.Any) -> str | None:
    return None if len(value) == 2 and value.isupper() else "must be a two-letter country code such as AT"


def _database(value: typing.Any) -> str | None:
    good = ("postgresql://", "postgres://", "postgresql+asyncpg://", "sqlite+aiosqlite:///")
    return None if value.startswith(good) else "must be a postgresql:// address"


CHECKS: Mapping[str, typing.Callable[[typing.Any], str | None]] = types.MappingProxyType(
    {
        "http.bind": _address,
        "http.port": _port,
        "sip.bind": _address,
        "sip.port": _port,
        "sip.public_address": _address,
        "sip.session_s": _positive,
        "sip.session_min_s": _positive,
        "media.workers": _not_negative,
        "media.ports": _port_range,
        "media.silence_s": _positive,
        "site.zone": _zone,
        "site.region": _region,
        "limits.invites_per_s": _positive,
        "limits.per_source_per_s": _positive,
        "limits.per_source_burst": _positive,
        "limits.calls": _positive,
        "limits.tcp_connections": _positive,
        "limits.journal_lag_ms": _positive,
        "drain_s": _not_negative,
        "journal_days": _not_negative,
        "database_url": _database,
    }
)
