"""Session timers on the wire: lost BYEs and dead peers end their calls; intervals of seconds instead of minutes."""

from collections.abc import Iterator

import pytest

from tests.e2e.house import GREETING, OWN_RTP_PORTS, TRUNK, House, files
from tests.support.scenario import PORT, PROVISIONAL, Sound, pause, receive, reply, request, scenario, send
from tests.support.server import Server

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site that asks every two seconds."""
    folder = tmp_path_factory.mktemp("brisk")
    site = files(OWN_RTP_PORTS)
    site.settings["sip"] = {"session_s": 4, "session_min_s": 3}
    with Server(folder, site) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def talks(number: str, *after: str, asks: str = "") -> str:
    """A caller who is answered, and what comes then."""
    invite = request("INVITE", user=number, cseq=1, body=Sound().sdp, extra=asks, in_dialog=False)
    return scenario(
        send(invite, retransmit=True),
        *(PROVISIONAL, receive("200", action=PORT), send(request("ACK", user=number, cseq=1))),
        *after,
    )


def test_a_caller_who_is_still_there_is_asked_and_goes_on(brisk: House) -> None:
    number = brisk.number()
    asked = [receive("INVITE"), send(reply("200 OK", Sound().sdp, tag=False), retransmit=True), receive("ACK")]
    bye = [send(request("BYE", user=number, cseq=2), retransmit=True), receive("200")]
    brisk.caller(talks(number, *asked, *asked, *bye), GREETING).start().wait()
    record = brisk.record(number)
    assert (record["result"], record["hung_up_by"], record["reason"]) == ("answered", "caller", "hangup")


def test_a_caller_whose_bye_was_lost_is_found_when_asked(brisk: House) -> None:
    number = brisk.number()
    gone = [receive("INVITE"), send(reply("481 Call Does Not Exist", tag=False)), receive("ACK")]
    brisk.caller(talks(number, *gone), GREETING).start().finish()
    record = brisk.record(number)
    assert (record["hung_up_by"], record["reason"]) == ("system", "dialog_lost")


def test_a_caller_who_promised_to_ask_and_does_not_gets_bye(brisk: House) -> None:
    number = brisk.number()
    timer = "\n      Supported: timer\n      Session-Expires: 3;refresher=uac"
    over = [receive("BYE"), send(reply("200 OK", tag=False))]
    with brisk.wire("expired") as wire:
        brisk.caller(talks(number, *over, asks=timer), GREETING).start().wait()
    answer = next(p for p in wire.packets() if p.sip_summary == "200 INVITE" and p.destination[0] == TRUNK)
    assert b"\r\nSession-Expires: 3;refresher=uac\r\n" in answer.payload
    assert brisk.record(number)["reason"] == "dialog_lost"


def test_a_caller_who_asks_goes_on_beyond_his_interval(brisk: House) -> None:
    number = brisk.number()
    timer = "\n      Supported: timer\n      Session-Expires: 3;refresher=uac"
    steps = []
    for cseq in range(2, 8):
        refresh = request("INVITE", user=number, cseq=cseq, body=Sound().sdp, extra=timer)
        steps += [pause(500), send(refresh, retransmit=True), PROVISIONAL, receive("200")]
        steps += [send(request("ACK", user=number, cseq=cseq))]
    bye = [pause(500), send(request("BYE", user=number, cseq=8), retransmit=True), receive("200")]
    brisk.caller(talks(number, *steps, *bye, asks=timer), GREETING).start().wait()
    assert brisk.record(number)["reason"] == "hangup"


def test_an_interval_below_the_least_is_422(brisk: House) -> None:
    number = brisk.number()
    timer = "\n      Supported: timer\n      Session-Expires: 2"
    invite = request("INVITE", user=number, cseq=1, body=Sound().sdp, extra=timer, in_dialog=False)
    refused = scenario(send(invite, retransmit=True), receive("422"), send(request("ACK", user=number, cseq=1)))
    with brisk.wire("422") as wire:
        brisk.caller(refused, GREETING).start().wait()
    answer = next(p for p in wire.packets() if p.sip_summary == "422 INVITE")
    assert b"\r\nMin-SE: 3\r\n" in answer.payload
