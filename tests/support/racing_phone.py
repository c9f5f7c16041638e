"""A phone on a plain socket that answers at an exact instant, or when it should not: for races.

It rings every INVITE at once. A thread of its own reads the socket, so that what the test does meanwhile keeps its
time.
"""

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from tests.support.sip_party import Address, Answer, Party, offer


@dataclass
class Ringing:
    """One dialog at the phone. Times are monotonic seconds; `final` is what the INVITE was answered with."""

    invite: Answer
    rang_at: float
    final: int = 0
    answered_at: float = 0.0
    cancelled: bool = False
    acknowledged: bool = False
    hung_up: bool = False

    @property
    def is_over(self) -> bool:
        """Nothing of it is left at either side: refused and acknowledged, or up and hung up."""
        return self.acknowledged and (self.final >= 300 or self.hung_up)


class RacingPhone:
    """`answers_after_s` from the INVITE, None: never. `late`: a cancelled INVITE gets its 200 all the same."""

    def __init__(
        self, server: Address, local: Address, *, answers_after_s: float | None = None, late: bool = False
    ) -> None:
        self.answers_after_s = answers_after_s
        self.late = late
        self.dialogs: dict[str, Ringing] = {}
        self._party = Party(server, local)
        self._over = threading.Event()
        self._rang = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "RacingPhone":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(5)
        self._party.socket.close()

    def wait_ringing(self, within_s: float = 10.0) -> float:
        """When the next INVITE came; forgets it, so that the one after is waited for next."""
        assert self._rang.wait(within_s), "the phone did not ring"
        self._rang.clear()
        return max(dialog.rang_at for dialog in self.dialogs.values())

    @property
    def all_over(self) -> bool:
        """No dialog is left at it."""
        return all(dialog.is_over for dialog in list(self.dialogs.values()))

    @property
    def is_talking(self) -> bool:
        """A 200 was sent in a dialog that nobody has ended."""
        return any(dialog.answered_at and not dialog.hung_up for dialog in list(self.dialogs.values()))

    def hang_up(self) -> None:
        """BYE in the call that is up."""
        for dialog in list(self.dialogs.values()):
            if dialog.final == 200 and not dialog.hung_up:
                dialog.hung_up = True
                self._party.send(self._bye(dialog))

    def _bye(self, dialog: Ringing) -> bytes:
        there, here = dialog.invite.header("From"), dialog.invite.header("To")
        target = dialog.invite.header("Contact").strip("<>")
        host = f"{self._party.local[0]}:{self._party.local[1]}"
        lines = [
            f"BYE {target} SIP/2.0", f"Via: SIP/2.0/UDP {host};branch=z9hG4bKbye{time.monotonic_ns()};rport",
            "Max-Forwards: 70", f"From: {here};tag=racing", f"To: {there}",
            f"Call-ID: {dialog.invite.header('Call-ID')}", "CSeq: 7 BYE", "Content-Length: 0", "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode()

    def _run(self) -> None:
        while not self._over.is_set():
            message = self._party.receive(self._patience())
            if message is not None and not message.status:
                self._request(message)
            self._answer_due()

    def _patience(self) -> float:
        due = [self._due(dialog) for dialog in self.dialogs.values() if not dialog.final]
        soonest = min((at for at in due if at is not None), default=time.monotonic() + 0.05)
        return min(max(soonest - time.monotonic(), 0.0), 0.05)

    def _due(self, dialog: Ringing) -> float | None:
        return None if self.answers_after_s is None else dialog.rang_at + self.answers_after_s

    def _answer_due(self) -> None:
        for dialog in self.dialogs.values():
            due = self._due(dialog)
            if not dialog.final and due is not None and time.monotonic() >= due:
                self._accept(dialog)

    def _accept(self, dialog: Ringing) -> None:
        dialog.final = 200
        contact = f"Contact: <sip:{self._party.local[0]}:{self._party.local[1]}>\r\n"
        body = offer((self._party.local[0], 6900))
        self._party.send(dialog.invite.as_reply("200 OK", tag="racing", body=body, extra=contact))
        dialog.answered_at = time.monotonic()

    def _request(self, request: Answer) -> None:
        dialog = self.dialogs.get(request.header("Call-ID"))
        match request.method:
            case "INVITE" if dialog is None:
                self.dialogs[request.header("Call-ID")] = Ringing(request, time.monotonic())
                self._party.send(request.as_reply("180 Ringing", tag="racing"))
                self._rang.set()
            case "CANCEL" if dialog is not None:
                dialog.cancelled = True
                self._party.send(request.as_reply("200 OK", tag="racing"))
                if self.late and not dialog.final:
                    self._accept(dialog)
                elif not dialog.final:
                    dialog.final = 487
                    self._party.send(dialog.invite.as_reply("487 Request Terminated", tag="racing"))
            case "ACK" if dialog is not None:
                dialog.acknowledged = True
            case "BYE":
                if dialog is not None:
                    dialog.hung_up = True
                self._party.send(request.as_reply("200 OK"))
