"""`callcenter calls list|show`."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from callcenter.kernel.errors import NotFound
from callcenter.kernel.site import CommandSettings, Site
from callcenter.reporting.asking import ask_site, print_json, written_day
from callcenter.reporting.cdr import Result
from callcenter.reporting.render import as_document, as_summary, as_table, as_text
from callcenter.reporting.service import MOST, CallQuery, calls_list, calls_show, day_of, forms_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

TicketsOf = Callable[[Site, str], Awaitable[Sequence[Mapping[str, object]]]]
"""contact -> the tickets that its record names"""


async def _no_tickets(_site: Site, _contact: str) -> Sequence[Mapping[str, object]]:
    return ()


def register(commands: "Commands", tickets_of: TicketsOf = _no_tickets) -> "Commands":
    """Add the command; its actions, for those that other rooms add."""
    parser = commands.add_parser("calls", help="look at call detail records")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list calls, newest first")
    listing.add_argument("--day", type=written_day, metavar="YYYY-MM-DD", help="calls of that day (site zone)")
    listing.add_argument("--caller", metavar="NUMBER", help="calls from that number, in any usual form")
    listing.add_argument("--agent", metavar="ID")
    listing.add_argument("--queue", metavar="ID")
    listing.add_argument("--result", choices=[result.value for result in Result])
    listing.add_argument("--limit", type=int, default=20, metavar="N", help=f"at most N calls (up to {MOST})")
    listing.add_argument("--after", metavar="CALL", help="go on after that call")
    listing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    listing.set_defaults(handler=_list)
    showing = actions.add_parser("show", help="show everything about one call")
    showing.add_argument("call", help="the call's id, as `list` prints it")
    showing.add_argument("--json", action="store_true", help="print JSON instead of text")
    showing.set_defaults(handler=_show, tickets_of=tickets_of)
    return actions


def _list(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    since, until = day_of(given.day, settings.site.zone) if given.day else (None, None)
    callers = forms_of(given.caller, settings.site.region) if given.caller else ()
    query = CallQuery(since, until, callers, given.agent, given.queue, given.result, given.after, given.limit)
    page = ask_site(settings, lambda site: calls_list(site, query))
    if given.json:
        print_json({"calls": [as_summary(call) for call in page.calls], "after": page.after})
    else:
        sys.stdout.write(as_table(page.calls, settings.site.zone))
    return 0


def _show(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    document = ask_site(settings, lambda site: _whole(site, given.call, given.tickets_of))
    if given.json:
        print_json(document)
    else:
        sys.stdout.write(as_text(document))
    return 0


async def _whole(site: Site, contact: str, tickets_of: TicketsOf) -> dict[str, object]:
    call = await calls_show(site, contact)
    if call is None:
        raise NotFound(f"there is no call {contact}")
    return {**as_document(call), "tickets": list(await tickets_of(site, contact))}
