"""The first start of an empty data folder: key, realm, database, sample users and the phones' passwords.

Printed once and kept in `DATA/first-start.txt` (0600). The supervisor runs this as a process of its own.

A crash at any instant is made good by the next start: passwords are on disk before the first account has one of them,
each account is made if it is not there, and only then does the file appear that says it is done.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from acd.config import Roster
from acd.config import load as load_roster
from callcenter.app.accounts import Account, make_accounts
from callcenter.app.active import claim_of
from callcenter.app.endpoints import Endpoints, load_endpoints
from callcenter.app.inherited import EXIT_CONFIG, write_whole
from callcenter.app.settings import Settings, from_json
from callcenter.app.site_secrets import new_password, realm, site_key
from callcenter.crm.bulk import has_customers, import_customers
from callcenter.crm.importing import BadRow, CustomerRow, read_rows
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate

DONE = "first-start.txt"
BEGUN = "first-start.pending"
SAMPLES = Path("samples", "customers.csv")
STAFF = (
    ("sue", "Sue Supervisor", "supervisor"),
    ("quinn", "Quinn Quality", "quality"),
    ("admin", "Administrator", "administrator"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be made. `phones` are (user, password)."""

    realm: str
    users: tuple[Account, ...]
    phones: tuple[tuple[str, str], ...]


def make_plan(roster: Roster, endpoints: Endpoints, realm_name: str, password: Callable[[], str]) -> Plan:
    """An account for each agent of agents.yaml and for the sample staff, a password for each phone of phones.yaml."""
    agents = [(agent.user, agent.name, "agent", agent.id) for agent in roster.agents if agent.user]
    taken = {login for login, *_ in agents}
    staff = [(login, name, role, None) for login, name, role in STAFF if login not in taken]
    users = tuple(Account(login, name, role, agent, password()) for login, name, role, agent in [*agents, *staff])
    return Plan(realm_name, users, tuple((phone.user, password()) for phone in endpoints.phones))


def as_text(plan: Plan, kept: Collection[str] = ()) -> str:
    """What a person needs to sign in and to set up a telephone; `kept` had accounts with passwords of their own."""
    lines = [
        "The first start made these. Change them: callcenter user passwd, callcenter phone passwd.",
        "",
        "Console",
    ]
    lines += [f"  {user.login:<12}{_shown(user.login, user.password, kept)}   {user.role}" for user in plan.users]
    lines += ["", f"Telephones (realm {plan.realm})"]
    lines += [f"  {user:<12}{_shown(user, password, kept)}" for user, password in plan.phones]
    return "\n".join(lines) + "\n"


def _shown(name: str, password: str, kept: Collection[str]) -> str:
    return "(as it was before)" if name in kept else password


async def first_start(settings: Settings, config: Path) -> str | None:
    """Make what is missing; the text to print, None if it had all been made before. Raises CallcenterError."""
    data = settings.data_dir
    if (data / DONE).exists():
        return None
    site_key(data)
    realm_name = realm(data, settings.sip.realm)
    plan = _begun(data / BEGUN)
    if plan is None:
        plan = make_plan(load_roster(config), load_endpoints(config), realm_name, new_password)
        write_whole(data / BEGUN, json.dumps(asdict(plan)))
    kept = await _make(settings, plan, config / SAMPLES, SystemClock())
    text = as_text(plan, kept)
    write_whole(data / DONE, text)
    (data / BEGUN).unlink()
    return text


async def _make(settings: Settings, plan: Plan, samples: Path, clock: Clock) -> set[str]:
    """Bring the database to this version, make accounts and sample customers; nothing of it where another application
    is active.
    """
    claim = claim_of(settings, clock)
    if claim is not None:
        await claim.before_calls()
    # A database that came with accounts (PostgreSQL, a restored backup) keeps their passwords.
    site = Site(settings.site_database_url, pool_size=1)
    try:
        await migrate(settings.site_database_url, settings.data_dir)
        kept = await make_accounts(site, plan.users, plan.phones, plan.realm, clock)
        if not kept:
            await _sample_customers(site, samples, settings.site.region, clock)
        return kept
    finally:
        await site.close()
        if claim is not None:
            await claim.close()


async def _sample_customers(site: Site, samples: Path, region: str, clock: Clock) -> None:
    """A new site gets the customers of the file, if there is one. They are one transaction: few enough."""
    rows = _samples(samples, region)
    if rows and not await has_customers(site):
        await import_customers(site, rows, now=clock.wall(), actor="first-start")


def _samples(path: Path, region: str) -> list[CustomerRow | BadRow]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(read_rows(lines, region=region))


def _begun(path: Path) -> Plan | None:
    """The plan of a first start that did not get to its end."""
    if not path.exists():
        return None
    plan = json.loads(path.read_text(encoding="utf-8"))
    users = tuple(Account(**user) for user in plan["users"])
    return Plan(plan["realm"], users, tuple((user, password) for user, password in plan["phones"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m callcenter.app.first_start --config DIR --settings FILE`; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.app.first_start", description=__doc__)
    for name in ("config", "settings"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args(arguments)
    settings = from_json(Path(given.settings).read_text(encoding="utf-8"))
    try:
        text = asyncio.run(first_start(settings, Path(given.config)))
    except CallcenterError as error:
        print(f"callcenter: {error.message}", file=sys.stderr)
        return EXIT_CONFIG
    if text is not None:
        print(f"{text}Kept in {settings.data_dir / DONE}\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
