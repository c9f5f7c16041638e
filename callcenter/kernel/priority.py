"""How much of a busy processor a process is to have beside others (sched(7), "The autogroup feature")."""

import contextlib
import os
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")


def set_priority(nice: int) -> None:
    """Be as `nice` as that, -20 to 19, as far as this user may: below 0 needs CAP_SYS_NICE, else nothing changes.

    Where Linux shares the processor out by session first, a process weighs only against those of its own session:
    one that leads a session sets the weight of that too.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    if os.getsid(0) == os.getpid():
        # Absent without the feature; EPERM, and EAGAIN for a user who changes it too often.
        with contextlib.suppress(OSError):
            _AUTOGROUP.write_text(str(nice), encoding="ascii")
