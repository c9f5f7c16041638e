"""Session timers, the driver: looks over all calls every few seconds (RFC 4028 section 10).

One look at thousands of dialogs costs less than a timer for each, and neither asking nor giving up is urgent.
"""

from collections.abc import Callable

from msgspec.structs import replace

from callcenter.calls.events import DialogLost
from callcenter.kernel.unit import Unit
from callcenter.sip.core import Core
from callcenter.sip.dialog import Dialog
from callcenter.sip.timers import NEVER

OFTEN_S = 5.0
EndDialog = Callable[[Unit, Dialog, str], None]
Refresh = Callable[[Unit, str], bool]


class SessionSweep:
    """Asks peers whose session is half over, and ends calls whose peer has not asked. `refresh` sends a re-INVITE."""

    def __init__(self, core: Core, *, end: EndDialog, refresh: Refresh) -> None:
        self._core = core
        self._end = end
        self._refresh = refresh
        self._every_s = min(OFTEN_S, core.session_rules.least_s / 18)
        self.next_deadline: float | None = None
        self.armed_at = NEVER

    def start(self) -> None:
        """There is a call: look again and again while there is one."""
        if self.next_deadline is None:
            core = self._core
            self.next_deadline = core.timers.now() + self._every_s
            core.timers.arm(self)

    def wake(self, now: float) -> None:  # noqa: ARG002  # the timers' protocol
        """Look at every call."""
        self.next_deadline = None
        moment = self._core.now()
        watched = [dialog for dialog in self._core.dialogs.values() if dialog.session is not None]
        for dialog in watched:
            session = dialog.session
            if session is not None and dialog.state == "confirmed" and moment >= session.deadline:
                self._due(dialog)
        if watched:
            self.start()

    def _due(self, dialog: Dialog) -> None:
        core = self._core
        assert dialog.session is not None, "watched"
        unit = core.open_unit()
        if dialog.session.refresher == "us":
            # What is open in the call now also tells whether its peer lives; the next look tries again.
            self._refresh(unit, dialog.leg)
        else:
            core.statistics.refuse("session_expired")
            self._end(unit, replace(dialog, session=None), "session expired")
            core.deliver(unit, DialogLost(dialog.leg, "session_expired"))
        core.submit(unit)
