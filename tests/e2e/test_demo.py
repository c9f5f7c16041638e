"""The demo as a newcomer starts it: callers come, agents answer, nothing is left behind."""

import re
import subprocess
import sys

import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.e2e


def test_the_demo_shows_agents_talking_within_a_minute() -> None:
    command = [sys.executable, "-m", "callcenter", "demo", "--minutes", "0.5", "--callers", "40", "--plain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Consoles: http://127\.0\.0\.1:\d+/ \(sign in as sue / \S+, ann / \S+\)", done.stdout)
    states = [
        tuple(map(int, found))
        for found in re.findall(r"calls (\d+), waiting (\d+), talking (\d+), surprises (\d+)", done.stdout)
    ]
    assert max(talking for _, _, talking, _ in states) >= 1
    assert max(surprises for *_, surprises in states) == 0
