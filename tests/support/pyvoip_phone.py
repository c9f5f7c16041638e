"""pyVoIP as a registered telephone, in a process of its own: `python -m tests.support.pyvoip_phone ...`.

pyVoIP is under the GPL: nothing of the product and no test imports it, they only start this script. It registers,
dials, writes what it hears (8 kHz, 8 bit) to a WAV file, sends a tone meanwhile, and hangs up.
"""

import argparse
import time
import wave
from collections.abc import Callable
from pathlib import Path

from pyVoIP.VoIP.status import PhoneStatus
from pyVoIP.VoIP.VoIP import CallState, VoIPCall, VoIPPhone

from tests.support.tone import samples

RATE = 8000
PATIENCE_S = 10.0


def main() -> None:
    """One call."""
    parser = argparse.ArgumentParser()
    for name in ("server", "user", "password", "address", "number", "heard"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("server-port", "port", "rtp"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--hertz", type=float, default=700.0)
    given = parser.parse_args()
    phone = VoIPPhone(
        given.server, given.server_port, given.user, given.password, myIP=given.address, sipPort=given.port,
        rtpPortLow=given.rtp, rtpPortHigh=given.rtp + 2,
    )  # fmt: skip
    phone.start()
    try:
        _wait("registered", lambda: phone.get_status() is PhoneStatus.REGISTERED)
        call = phone.call(given.number)
        _wait("answered", lambda: call.state is CallState.ANSWERED)
        call.write_audio(bytes(128 + value // 256 for value in samples(given.hertz, given.seconds)))
        # Blocking reads would wait for the end of any silence.
        heard = b"".join(_frame(call) for _ in range(round(given.seconds * 50)))
        call.hangup()
    finally:
        phone.stop()
    with wave.open(str(Path(given.heard)), "wb") as file:
        file.setparams((1, 1, RATE, 0, "NONE", ""))
        file.writeframes(heard)


def _frame(call: VoIPCall) -> bytes:
    time.sleep(0.02)
    return bytes(call.read_audio(160, blocking=False))


def _wait(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {what}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
