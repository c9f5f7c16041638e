"""How a process says what it weighs: seen from the kernel's side."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

AUTOGROUP = Path("/proc/self/autogroup")
PROGRAM = """
import os
from callcenter.kernel.priority import set_priority
set_priority(19)
print(os.getpriority(os.PRIO_PROCESS, 0), open("/proc/self/autogroup").read().split()[-1])
"""
needs_autogroups = pytest.mark.skipif(not AUTOGROUP.exists(), reason="this Linux has no autogroups")


def in_a_process(*, leads_session: bool) -> str:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, start_new_session=leads_session
    )
    return told.stdout.strip()


@needs_autogroups
def test_leader_of_a_session_sets_the_weight_of_the_session_too() -> None:
    assert in_a_process(leads_session=True) == "19 19"


@needs_autogroups
def test_other_process_leaves_the_session_as_it_is() -> None:
    before = AUTOGROUP.read_text(encoding="ascii")
    assert in_a_process(leads_session=False) == f"19 {before.split()[-1]}"
    assert AUTOGROUP.read_text(encoding="ascii") == before
