"""The demo's ports: free by UDP and TCP, given once, and not of those that connections get."""

import socket
from pathlib import Path

import pytest

from callcenter.app.demo.ports import RANGE, FreePorts

pytestmark = pytest.mark.integration


def test_each_port_is_given_once() -> None:
    port = FreePorts().take()
    ports = FreePorts([port])
    assert ports.take() == port
    with pytest.raises(OSError, match="in use"):
        ports.take()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_port_that_is_in_use_by_either_transport_is_passed_over(kind: socket.SocketKind) -> None:
    taken = FreePorts().take()
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", taken))
        with pytest.raises(OSError, match="in use"):
            FreePorts([taken]).take()


def test_no_connection_of_somebody_elses_gets_them() -> None:
    handed_out = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not handed_out.exists():
        pytest.skip("only Linux tells its range there")
    assert max(RANGE) < int(handed_out.read_text().split()[0])
