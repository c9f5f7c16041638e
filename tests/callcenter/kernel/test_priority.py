"""How a process says what it weighs: seen from the kernel's side."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

# Each runs as the leader of a session of its own: what started the tests may belong to no autogroup, whose file is
# then there but empty.
LEADER = """
import os
from callcenter.kernel.priority import set_priority
set_priority(19)
print(os.getpriority(os.PRIO_PROCESS, 0), open("/proc/self/autogroup").read().split()[-1])
"""
MEMBER = """
import os, subprocess, sys
def autogroup():
    return open("/proc/self/autogroup").read().split()[-1]
before = autogroup()
code = "import os; from callcenter.kernel.priority import set_priority; set_priority(19); "
code += "print(os.getpriority(os.PRIO_PROCESS, 0))"
told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
print(told.stdout.strip(), autogroup() == before, autogroup() == "19")
"""
needs_autogroups = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this Linux has no autogroups"
)


def in_a_session_of_its_own(program: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, start_new_session=True
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


@needs_autogroups
def test_leader_of_a_session_sets_the_weight_of_the_session_too() -> None:
    assert in_a_session_of_its_own(LEADER) == "19 19"


@needs_autogroups
def test_other_process_leaves_the_session_as_it_is() -> None:
    assert in_a_session_of_its_own(MEMBER) == "19 True False"
