"""Phones and worker processes that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.media_worker import Phone, WorkerProcess

NewPhone = Callable[..., Phone]


@pytest.fixture
def phone() -> Iterator[NewPhone]:
    """Makes phones."""
    made: list[Phone] = []

    def make(address: str = "127.0.0.1", codec: str = "PCMU") -> Phone:
        made.append(Phone(address, codec))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers below the test's folder."""
    started: list[WorkerProcess] = []

    def start(name: str = "w1", *extra: str) -> WorkerProcess:
        started.append(WorkerProcess(tmp_path, name, "", *extra))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def worker(start_worker: Callable[..., WorkerProcess]) -> WorkerProcess:
    """One worker with its defaults."""
    return start_worker()
