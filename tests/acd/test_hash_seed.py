"""The same inputs give the same bytes in another process under another hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WALKS = """
from acd import events
from callcenter.kernel.codec import encode
from tests.support.acd_walk import seeded, walked
for seed in range(6):
    walk = walked(seeded(seed, 80))
    for told in walk.told:
        for event in told:
            if not isinstance(event, events.InputRefused):
                print(encode(events.wire(event)).decode())
    print(encode([dict(walk.core.agents), dict(walk.core.entries), dict(walk.core.offers)]).decode())
"""


@pytest.mark.integration
def test_walks_are_the_same_under_two_hash_seeds() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", WALKS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout
        for hash_seed in ("1", "4242")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].splitlines()) > 100
