"""A trunk that stops answering OPTIONS: seen in the status, passed over by calls, and back when it answers."""

import threading
from collections.abc import Iterator

import pytest

from tests.e2e.house import LANE, OWN_RTP_PORTS, House
from tests.e2e.test_dial_out import OVERFLOW, outside_site
from tests.support.scenario import refused_caller
from tests.support.server import Server, eventually
from tests.support.sip_party import Party

pytestmark = pytest.mark.e2e

CARRIER = (f"127.0.{LANE}.25", 5060)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site that asks its carrier every second."""
    folder = tmp_path_factory.mktemp("kept")
    site = outside_site()
    site.trunks[1] |= {"addresses": [f"{CARRIER[0]}:{CARRIER[1]}"], "options_s": 1}
    with Server(folder, site) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()


class Provider:
    """Answers OPTIONS while `there`; keeps count."""

    def __init__(self, house: House) -> None:
        self.there = True
        self.asked = 0
        self._over = threading.Event()
        self._party = Party(house.server.sip, CARRIER)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            message = self._party.receive(0.1)
            if message is not None and not message.status and message.method == "OPTIONS":
                self.asked += 1
                if self.there:
                    self._party.send(message.as_reply("200 OK", tag="provider"))

    def close(self) -> None:
        self._over.set()
        self._thread.join(5)
        self._party.socket.close()


def health(house: House) -> str:
    return str(house.client("sue").get("/api/status").json()["trunks"]["carrier"])


def test_a_trunk_goes_down_and_comes_up(kept: House) -> None:
    provider = Provider(kept)
    try:
        eventually("up", lambda: health(kept) == "up")
        provider.there = False
        eventually("down", lambda: health(kept) == "down", within_s=60)
        number = kept.number()
        with kept.caller(refused_caller("486", number=number), OVERFLOW) as customer:
            customer.wait()
        assert kept.record(number)["path"][0]["branch"] == "unreachable"
        assert "trunks      carrier down" in kept.server.callcenter("status")
        provider.there = True
        eventually("up again", lambda: health(kept) == "up", within_s=60)
        assert "a trunk does not answer" in kept.server.logs()
    finally:
        provider.close()
    assert provider.asked >= 5
