"""The watch on the parent process."""

import asyncio
import os
import subprocess
import sys

import pytest

from callcenter.app.parent import parent_watch

pytestmark = pytest.mark.integration


async def test_parent_that_is_already_gone_is_told_at_once() -> None:
    gone = asyncio.Event()
    parent_watch(asyncio.get_running_loop(), 2**22 - 1, gone.set)
    await asyncio.wait_for(gone.wait(), 60)


async def test_process_that_is_not_our_parent_counts_as_gone() -> None:
    gone = asyncio.Event()
    parent_watch(asyncio.get_running_loop(), os.getpid(), gone.set)
    await asyncio.wait_for(gone.wait(), 60)


async def test_living_parent_is_not_reported() -> None:
    gone = asyncio.Event()
    stop = parent_watch(asyncio.get_running_loop(), os.getppid(), gone.set)
    await asyncio.sleep(0)
    assert not gone.is_set()
    stop()
    stop()


def test_death_of_the_parent_ends_a_child_that_watches_it() -> None:
    # Middle starts a child and dies; the child's end closes our pipe.
    child = (
        "import asyncio, os\n"
        "from callcenter.app.parent import parent_watch\n"
        "async def main():\n"
        "    over = asyncio.Event()\n"
        "    parent_watch(asyncio.get_running_loop(), os.getppid(), over.set)\n"
        "    print('watching', flush=True)\n"
        "    await over.wait()\n"
        "    print('gone', flush=True)\n"
        "asyncio.run(main())\n"
    )
    middle = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}]).wait()\n"
    with subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "watching\n"
        started.kill()
        assert started.stdout.read() == "gone\n"
