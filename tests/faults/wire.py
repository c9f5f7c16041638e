"""What a capture says of a run: the dialogs with their parties' sound, and the largest silence in a conversation."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.faults.kill_site import CALLERS, PHONES
from tests.support.capture import Packet

Place = tuple[str, int]
_AUDIO = re.compile(rb"m=audio (\d+) ")
_FROM = re.compile(rb"\r\nFrom:[^\r\n]*<sip:([^@>]+)@[^\r\n]*?>(?:;tag=([^\r\n;]+))?", re.IGNORECASE)
_TO_TAG = re.compile(rb"\r\nTo:[^\r\n]*;tag=([^\r\n;]+)", re.IGNORECASE)


@dataclass
class Dialog:
    """One Call-ID on the wire. `leg` is the server's tag, `place` where its party hears."""

    call_id: str
    packets: list[Packet] = field(default_factory=list)
    inbound: bool = False
    caller: str = ""
    leg: str = ""
    place: Place | None = None

    def first(self, summary: str) -> float | None:
        """When a message of that summary (`INVITE`, `200 INVITE`) was first seen."""
        return next((packet.at for packet in self.packets if packet.sip_summary == summary), None)

    @property
    def finals(self) -> list[str]:
        """The final answers to its INVITE, each once."""
        found = [packet.sip_summary for packet in self.packets if packet.sip_summary.endswith(" INVITE")]
        return sorted({summary for summary in found if summary[0] != "1"})

    @property
    def invites(self) -> set[bytes]:
        """The different INVITEs; one, if nothing was sent twice in other words."""
        return {packet.payload for packet in self.packets if packet.sip_summary == "INVITE"}


class Wire:
    """The whole capture, sorted once."""

    def __init__(self, packets: Iterable[Packet], server: Place) -> None:
        self.dialogs: dict[str, Dialog] = {}
        self._heard: dict[Place, list[float]] = defaultdict(list)
        self._said: dict[Place, list[float]] = defaultdict(list)
        for packet in packets:
            if server in (packet.source, packet.destination):
                if packet.is_sip and not packet.sip_summary.endswith("OPTIONS"):
                    self._sip(packet, server)
            elif (
                len(packet.payload) >= 12 and packet.payload[0] >> 6 == 2 and not 72 <= packet.payload[1] & 127 <= 76
            ):
                ours = packet.destination[0] in (CALLERS, PHONES)
                place = packet.destination if ours else packet.source
                (self._heard if ours else self._said)[place].append(packet.at)

    def _sip(self, packet: Packet, server: Place) -> None:
        dialog = self.dialogs.setdefault(packet.call_id, Dialog(packet.call_id))
        dialog.packets.append(packet)
        summary, data = packet.sip_summary, packet.payload
        outside = packet.destination == server
        if summary == "INVITE" and len(dialog.packets) == 1:
            dialog.inbound = outside
            found = _FROM.search(data)
            assert found is not None
            dialog.caller = found[1].decode()
            if not outside:
                dialog.leg = found[2].decode()
        elif dialog.inbound and not outside and not dialog.leg and not summary.startswith("100"):
            tag = _TO_TAG.search(data)
            dialog.leg = tag[1].decode() if tag is not None else ""
        audio = _AUDIO.search(data)
        if audio is not None and outside:
            dialog.place = (packet.source[0], int(audio[1]))

    def callers(self) -> list[Dialog]:
        """The calls that came in."""
        return [dialog for dialog in self.dialogs.values() if dialog.inbound]

    def of_leg(self, leg: str) -> Dialog | None:
        """The dialog of that leg; None if none was seen."""
        return next((dialog for dialog in self.dialogs.values() if dialog.leg == leg), None)

    def ended_at(self, dialog: Dialog) -> float:
        """When the first BYE was sent, by whomever; a far future without one."""
        return dialog.first("BYE") or 1e12

    def gap_heard(self, dialog: Dialog, since: float, until: float) -> float:
        """The longest silence that the dialog's party heard in that time, in seconds."""
        return _gap(self._heard.get(dialog.place, []) if dialog.place else [], since, until)

    def gap_said(self, dialog: Dialog, since: float, until: float) -> float:
        """The longest silence of the party itself: what the test's own clients left out."""
        return _gap(self._said.get(dialog.place, []) if dialog.place else [], since, until)


def _gap(moments: list[float], since: float, until: float) -> float:
    inside = moments[bisect_left(moments, since) : bisect_left(moments, until)]
    return max(later - earlier for earlier, later in pairwise([since, *inside, until]))
