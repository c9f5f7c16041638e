"""The supervisor with real processes and sockets, and stub children (kill matrix of docs/architecture.md)."""

import itertools
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.app.inherited import AT_ONCE
from callcenter.app.supervisor import share_ports
from tests.callcenter.app.server_process import ServerProcess, ask_http, ask_sip, is_running, pending, until
from tests.support.server import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data")
    yield process
    process.end()


def test_start_makes_everything_once_and_says_where_it_listens(server: ServerProcess) -> None:
    server.start()
    told = server.ready()
    assert ask_http(told) == told["application"]["pid"]
    assert ask_sip(told) == told["application"]["pid"]
    assert f"SIP   {told['sip_udp']} (udp, tcp)" in server.said
    assert told["sip_tcp"] == told["sip_udp"]
    assert f"http://{told['http']}/" in server.said
    assert (server.data / "run").stat().st_mode & 0o777 == 0o700
    server.kill(server.pid, signal.SIGTERM)
    assert server.wait() == 0
    server.start()
    server.ready()
    assert server.said.count("first start") == 1


def test_dead_application_is_replaced_and_waiting_datagrams_reach_the_new_one(server: ServerProcess) -> None:
    server.start()
    before = server.ready()
    server.kill(before["application"]["pid"])
    answered = ask_sip(before)
    after = server.ready(starts=2)
    assert answered == after["application"]["pid"] != before["application"]["pid"]
    assert ask_http(before) == answered
    assert after["workers"] == before["workers"]


def test_dead_worker_is_replaced_on_its_ports_and_the_application_told(server: ServerProcess) -> None:
    server.start()
    before = server.ready()
    until(server.signals, "the first look for workers")
    told_before = len(server.signals())
    lost = before["workers"][0]
    server.kill(lost["pid"])
    until(
        lambda: len((server.status() or before)["workers"]) == 1 or lost["name"] not in str(server.status()), "loss"
    )
    after = server.ready()
    assert after["workers"][0]["ports"] == lost["ports"]
    assert after["workers"][0]["name"] not in {one["name"] for one in before["workers"]}
    assert after["workers"][1] == before["workers"][1]
    assert after["application"]["pid"] == before["application"]["pid"]
    until(lambda: len(server.signals()) > told_before, "news of the worker")
    assert not (server.data / "run" / f"media-{lost['name']}.sock").exists()


def test_killed_supervisor_takes_the_application_with_it_and_the_next_adopts_the_workers(
    server: ServerProcess,
) -> None:
    server.start()
    before = server.ready()
    server.kill(server.pid)
    until(lambda: not is_running(before["application"]["pid"]), "the application's end")
    assert all(is_running(one["pid"]) for one in before["workers"])
    server.wait()
    server.start()
    after = server.ready()
    assert after["workers"] == before["workers"]
    assert f"adopted media worker {before['workers'][0]['name']}" in server.said
    server.kill(after["workers"][0]["pid"])
    until(lambda: "ended (killed or ended)" in server.said, "the adopted worker's death to be seen")
    assert len(server.ready()["workers"]) == 2


def test_next_run_waits_for_the_application_of_a_killed_supervisor(server: ServerProcess) -> None:
    # Not one that the kernel gave: between the two runs it could give it to somebody else.
    port = f"sip.port={free_port()}"
    server.start(port)
    before = server.ready()
    server.kill(server.pid)
    server.wait()
    server.start(port)
    after = server.ready()
    assert after["sip_udp"] == before["sip_udp"]
    assert ask_sip(after) == after["application"]["pid"]


def test_terminate_drains_then_stops_everything_and_leaves_no_socket(server: ServerProcess) -> None:
    server.environment["STUB_DRAIN_S"] = "0.3"
    server.start()
    told = server.ready()
    server.kill(server.pid, signal.SIGTERM)
    assert server.wait() == 0
    assert not any(is_running(pid) for pid in [told["application"]["pid"], *(one["pid"] for one in told["workers"])])
    assert not list((server.data / "run").glob("*.sock"))
    assert server.status() is None


def test_second_signal_reaches_an_application_that_has_not_taken_the_first_yet(server: ServerProcess) -> None:
    server.environment["STUB_DRAIN_S"] = "600"
    server.start()
    application = server.ready()["application"]["pid"]
    server.kill(application, signal.SIGSTOP)
    server.kill(server.pid, signal.SIGINT)
    until(lambda: signal.SIGTERM in pending(application), "the first signal")
    server.kill(server.pid, signal.SIGINT)
    until(lambda: AT_ONCE in pending(application), "the second signal")
    server.kill(application, signal.SIGCONT)
    assert server.wait() == 0
    assert "AT_ONCE" in server.signals()


def test_application_that_will_not_drain_is_killed(server: ServerProcess) -> None:
    server.environment["STUB_DEAF"] = "1"
    server.start("drain_s=0")
    told = server.ready()
    server.kill(server.pid, signal.SIGTERM)
    assert server.wait() == 0
    assert not is_running(told["application"]["pid"])


def test_second_server_on_one_data_folder_names_the_first(server: ServerProcess, tmp_path: Path) -> None:
    server.start()
    server.ready()
    second = ServerProcess(server.data)
    second.start()
    assert second.wait() == 75
    assert f"in use by another callcenter (process {server.pid})" in second.said
    assert is_running(server.pid)


def test_taken_port_names_key_and_holder(server: ServerProcess) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        server.start(f"sip.port={holder.getsockname()[1]}")
        assert server.wait() == 75
    assert "sip.port: udp 127.0.0.1:" in server.said
    assert "is in use by process" in server.said


def test_application_that_cannot_start_stops_the_server_and_shows_why(server: ServerProcess) -> None:
    server.environment["STUB_EXIT"] = "78"
    server.start()
    assert server.wait() == 78
    assert "settings are no good" in server.said


def test_application_that_keeps_dying_is_started_again_and_again(server: ServerProcess) -> None:
    server.environment["STUB_EXIT"] = "1"
    server.start()
    until(lambda: server.said.count("the application ended (exit code 1)") >= 3, "three attempts")
    server.kill(server.pid, signal.SIGTERM)
    assert server.wait() == 0


def test_port_shares_are_even_disjoint_and_whole() -> None:
    assert share_ports(20000, 20999, 2) == [(20000, 20499), (20500, 20999)]
    shares = share_ports(20000, 20009, 3)
    assert [first % 2 for first, _ in shares] == [0, 0, 0]
    assert shares[0][0] == 20000
    assert shares[-1][1] == 20009
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(shares))
