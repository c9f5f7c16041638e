"""`python -m callcenter.media`: one media worker."""

import argparse
import logging
import sys
from pathlib import Path

from callcenter import __version__
from callcenter.kernel.errors import ConfigError
from callcenter.media.worker import Options, run


def options(arguments: list[str]) -> Options:
    """The command line as Options; exits with status 2 on one that cannot be understood."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.media", description="RTP, prompts, recordings.")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to be controlled by")
    parser.add_argument("--name", required=True, help="name of this worker")
    parser.add_argument("--ports", type=_range, default=(20000, 20999), help="RTP ports, FIRST-LAST")
    parser.add_argument("--address", default="127.0.0.1", help="IPv4 address to bind RTP to")
    parser.add_argument("--recordings", type=Path, required=True, help="folder that recordings lie in")
    parser.add_argument("--silence-s", type=float, default=60.0, help="seconds without RTP until a leg is silent")
    parser.add_argument("--alone-s", type=float, default=600.0, help="seconds to go on without an application")
    found = parser.parse_args(arguments)
    first, last = found.ports
    return Options(
        found.socket, found.name, found.address, first, last, found.recordings, found.silence_s, found.alone_s,
        __version__,
    )  # fmt: skip


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    found = int(first), int(last)
    if not 1024 <= found[0] < found[1] <= 65535:
        raise ValueError(text)
    return found


def main() -> None:
    """Run the worker until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        run(options(sys.argv[1:]))
    except ConfigError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
