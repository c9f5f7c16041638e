"""`callcenter worker`: does what falls due by itself, beside a server whose `redis_url` is set."""

import argparse
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callcenter.app.command import Commands

LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"}


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "worker",
        help="escalate tickets in a process of its own (needs redis_url)",
        description="A Celery worker on the Redis of `redis_url`. Start as many as you like, on any machine that "
        "reaches Redis and the site database: each step of a ticket still fires once.",
    )
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="at most N tasks at a time (default 1)")
    parser.add_argument("--no-beat", action="store_true", help="do not wake workers; another worker does")
    parser.set_defaults(handler=_work)


def _work(given: argparse.Namespace) -> int:
    from callcenter.app.celery_app import create_celery  # noqa: PLC0415 - `--help` of others needs none of it

    app = create_celery(given.settings)
    logging.basicConfig(level=LEVELS[given.settings.log_level])
    options = [
        "worker",
        "--loglevel",
        LEVELS[given.settings.log_level],
        "--concurrency",
        str(max(1, given.processes)),
    ]
    options += ["--pool", "prefork" if given.processes > 1 else "solo", "--without-gossip", "--without-mingle"]
    # Beat inside a worker keeps its times in memory: a look too many does no harm.
    options += [] if given.no_beat else ["--beat"]
    app.worker_main(options)
    return 0
