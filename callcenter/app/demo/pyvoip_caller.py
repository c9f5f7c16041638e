"""A caller by somebody else's SIP implementation: pyVoIP, where it is installed (`pip install callcenter[pyvoip]`).

It is under the GPL, so nothing of the product imports it: it runs in this process alone, which the demo starts on
demand. It always registers, so this caller is a telephone of the site.
"""

import argparse
import random
import sys
import threading

from callcenter.app.demo.site import SERVICES

TALK_S = 40
BETWEEN_S = 5


def main() -> int:
    """Ring a queue, stay for a while, hang up, ring again."""
    parser = argparse.ArgumentParser(
        prog="python -m callcenter.app.demo.pyvoip_caller", description="Started by the demo."
    )
    for name in ("server", "user", "password", "address"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("server-port", "port", "rtp"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    try:
        from pyVoIP.VoIP.VoIP import CallState, VoIPPhone  # noqa: PLC0415  # an extra: only here and only if asked for
    except ImportError:
        print("pyVoIP is not installed: pip install pyVoIP==1.6.8", file=sys.stderr)
        return 1
    phone = VoIPPhone(
        given.server,
        given.server_port,
        given.user,
        given.password,
        myIP=given.address,
        sipPort=given.port,
        rtpPortLow=given.rtp,
        rtpPortHigh=given.rtp + 20,
    )
    phone.start()
    rest = threading.Event()
    while True:
        call = phone.call(random.choice(list(SERVICES)))  # noqa: S311  # a caller, not a secret
        for _ in range(TALK_S):
            if rest.wait(1) or call.state is CallState.ENDED:
                break
        if call.state is CallState.ANSWERED:
            call.hangup()
        rest.wait(BETWEEN_S)


if __name__ == "__main__":
    sys.exit(main())
