"""SIGTERM while a call is up: nobody new comes in, who talks may finish; the second signal ends all at once."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import GREETING, OWN_RTP_PORTS, TRUNK, House, files, instant
from tests.support.capture import Capture
from tests.support.scenario import caller, refused_caller
from tests.support.server import Server, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """A site that its story may stop."""
    with Server(tmp_path, files(OWN_RTP_PORTS)) as server:
        house = House(server, tmp_path, OWN_RTP_PORTS)
        yield house
        house.close()


def is_up(wire: Capture) -> bool:
    return any(packet.is_sip and packet.sip_summary == "ACK" for packet in wire.packets())


def test_a_draining_server_refuses_the_new_and_lets_the_old_finish(own_house: House) -> None:
    number, late = own_house.number(), own_house.number()
    server = own_house.server
    with own_house.wire("drain") as wire, own_house.customer(number, GREETING) as customer:
        eventually("the call is up", lambda: is_up(wire))
        os.kill(server.supervisor_pid, signal.SIGTERM)
        eventually("it drains", lambda: "draining" in server.logs())
        own_house.caller(refused_caller("503", number=late), GREETING).start().wait()
        assert server.pids().get("application")
        assert customer.hang_up().status == 200
        assert server.exit_code() == 0
    packets = wire.packets()
    refused, bye = instant(packets, "503 INVITE", host=TRUNK), instant(packets, "BYE", host=TRUNK)
    assert refused < bye
    # The caller hung up himself.
    assert next(p for p in packets if p.is_sip and p.sip_summary == "BYE").source[0] == TRUNK
    assert server.pids() == {}
    records = {record["caller"]: record for record in server.cdrs(1)}
    assert (records[number]["hung_up_by"], records[number]["reason"]) == ("caller", "hangup")
    assert server.tracebacks() == []


def test_the_second_signal_ends_the_calls_at_once(own_house: House) -> None:
    number = own_house.number()
    server = own_house.server
    scenario = caller(number=number, hangs_up=False)
    with own_house.wire("twice") as wire, own_house.caller(scenario, GREETING) as customer:
        eventually("the call is up", lambda: is_up(wire))
        os.kill(server.supervisor_pid, signal.SIGTERM)
        eventually("it drains", lambda: "draining" in server.logs())
        os.kill(server.supervisor_pid, signal.SIGTERM)
        customer.wait()
        assert server.exit_code() == 0
    # One, which a caller who is slow to answer is sent again.
    (there,) = {(p.destination[0], p.payload) for p in wire.packets() if p.is_sip and p.sip_summary == "BYE"}
    assert there[0] == TRUNK
    (record,) = server.cdrs(1)
    assert (record["hung_up_by"], record["reason"]) == ("system", "shutdown")
    assert server.tracebacks() == []
