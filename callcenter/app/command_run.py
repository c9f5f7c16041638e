"""`callcenter run`: the flags that go before settings."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callcenter.app.command import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run",
        help="run the server until it is stopped",
        description="Run the server. Ctrl-C or SIGTERM drains it; a second one ends the calls at once.",
    )
    parser.add_argument("--http", type=int, metavar="PORT", help="console and API (default 8080)")
    parser.add_argument("--sip", type=int, metavar="PORT", help="SIP over UDP and TCP (default 5060)")
    parser.add_argument("--bind", metavar="ADDR", help="listen on this address for SIP, RTP and HTTP")
    parser.add_argument("--rtp", metavar="FIRST-LAST", help="RTP ports (default 20000-20999)")
    parser.add_argument("--workers", type=int, metavar="N", help="media workers (default: one for each core)")
    parser.set_defaults(handler=_run, flags=_flags)


def _flags(given: argparse.Namespace) -> dict[str, object]:
    return {
        "http.port": given.http,
        "http.bind": given.bind,
        "sip.port": given.sip,
        "sip.bind": given.bind,
        "media.ports": given.rtp,
        "media.workers": given.workers,
    }


def _run(given: argparse.Namespace) -> int:
    from callcenter.app.endpoints import load_endpoints  # noqa: PLC0415 - `--help` of others needs none of it
    from callcenter.app.start import run_server  # noqa: PLC0415 - as above

    return run_server(given.settings, given.config, load_endpoints(given.config))
