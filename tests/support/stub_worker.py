"""A media worker for the supervisor's tests: a socket that accepts, until SIGTERM."""

import argparse
import asyncio
import signal


async def _greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _main(path: str) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    async with await asyncio.start_unix_server(_greet, path):
        await over.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("socket", "ports", "address", "recordings", "name", "silence-s"):
        parser.add_argument(f"--{name}", required=True)
    asyncio.run(_main(parser.parse_args().socket))
