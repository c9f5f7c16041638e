"""Who may do what over SIP: enumeration, guessing, spoofing, replay, toll fraud (security.md S8, S10, S14 to S16)."""

import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from callcenter import __version__
from tests.support.hostile import (
    ATTACKER,
    ELSEWHERE,
    PHONE,
    TRUNK,
    HostileServer,
    hostile_server,
    listening,
)
from tests.support.server import eventually
from tests.support.sip_party import Answer, Call, Party, Sound, authorization, offer

pytestmark = pytest.mark.e2e

MEDIA = (TRUNK[0], 24900)
ROUNDS = 150


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("access")) as running:
        yield running


@pytest.fixture
def stranger(server: HostileServer) -> Iterator[Party]:
    with Party(server.sip, (ATTACKER, 0)) as party:
        yield party


@pytest.fixture
def trunk(server: HostileServer) -> Iterator[Party]:
    with Party(server.sip, TRUNK) as party:
        yield party


@pytest.fixture
def call(server: HostileServer, trunk: Party) -> Iterator[Call]:
    """A call that is up; it must still be at the end of the test."""
    call = trunk.call("100", MEDIA)
    yield call
    assert call.is_up()
    assert call.hang_up().status == 200
    eventually("no call is left", lambda: not server.status()["calls"])


def ask(party: Party, request: bytes) -> Answer:
    """The final answer to `request`."""
    found = re.search(rb"Call-ID: ([^\r]+)", request)
    assert found is not None
    party.send(request)
    return party.final(found[1].decode())


# -- S8, S15: what strangers may not -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "REFER", "INFO", "UPDATE", "PRACK"])
def test_strangers_request_is_refused(server: HostileServer, stranger: Party, method: str) -> None:
    extra = ("Event: presence", f"Refer-To: <sip:900@{ELSEWHERE[0]}>", "Expires: 60")
    assert ask(stranger, stranger.request(method, extra=extra)).status in {401, 403, 405, 481}


@pytest.mark.parametrize("to", ["100", "300", "m1", "ann", "0039061234567", "9011441234567"])
def test_stranger_reaches_nobody_without_a_password(server: HostileServer, stranger: Party, to: str) -> None:
    before = server.facts()
    with listening(ELSEWHERE) as elsewhere, listening(PHONE) as phone:
        routed = (f"Route: <sip:{ELSEWHERE[0]}:{ELSEWHERE[1]};lr>", "P-Asserted-Identity: <sip:carrier@127.0.0.26>")
        body = offer((ATTACKER, 9000))
        for extra in ((), routed):
            assert ask(stranger, stranger.request("INVITE", to=to, body=body, extra=extra)).status == 401
        for socket_ in (elsewhere, phone):
            with pytest.raises(BlockingIOError):
                socket_.recv(65535)
    assert server.facts() == before


def test_trunks_address_with_another_port_is_a_stranger(server: HostileServer) -> None:
    with Party(server.sip, (TRUNK[0], 0)) as party:
        assert ask(party, party.request("INVITE", body=offer(MEDIA))).status == 401


def test_trunk_reaches_flows_and_no_other_number(server: HostileServer, trunk: Party) -> None:
    for to in ("m1", "ann", "0039061234567", "bob;phone-context=x"):
        request = trunk.request("INVITE", to=to, body=offer(MEDIA))
        assert ask(trunk, request).status == 404
    eventually("no call is left", lambda: not server.status()["calls"])


def test_redirection_is_not_followed(server: HostileServer, trunk: Party) -> None:
    with Party(server.sip, PHONE) as phone, listening(ELSEWHERE) as elsewhere:
        trunk.send(trunk.request("INVITE", to="300", call_id="redirected", body=offer(MEDIA)))
        invite = phone.wait(lambda answer: answer.text.startswith("INVITE "), "the INVITE at the phone")
        there = f"Contact: <sip:900@{ELSEWHERE[0]}:{ELSEWHERE[1]}>\r\n"
        phone.send(invite.as_reply("302 Moved", tag="moved", extra=there))
        phone.wait(lambda answer: answer.text.startswith("ACK "), "the ACK of the redirection")
        assert trunk.final("redirected").status >= 300
        with pytest.raises(BlockingIOError):
            elsewhere.recv(65535)
    eventually("no call is left", lambda: not server.status()["calls"])


def test_refer_in_a_call_is_refused(server: HostileServer, call: Call) -> None:
    call.cseq += 1
    answer = ask(call.party, call.request("REFER", extra=(f"Refer-To: <sip:900@{ELSEWHERE[0]}>",)))
    assert answer.status == 405


# -- S10: numbers and lists beyond bounds ------------------------------------------------------------------------

OVERFLOWS: dict[str, dict[str, Any]] = {
    "cseq 2**31": {"cseq": 2**31},
    "cseq 2**32": {"cseq": 2**32},
    "cseq of 30 digits": {"cseq": "9" * 30},
    "negative cseq": {"cseq": "-1"},
    "accept of 9000": {"extra": ("Accept: " + "a/" + "b" * 9000,)},
    "300 accepts": {"extra": ("Accept: application/sdp",) * 300},
    "long boundary": {"content_type": 'multipart/mixed;boundary="' + "b" * 9000 + '"'},
    "long fmtp": {"body": offer(MEDIA) + b"a=fmtp:101 " + b"0-15," * 4000 + b"\r\n"},
    "fmtp of no format": {"body": offer(MEDIA) + b"a=fmtp:99999999999 0-15\r\n"},
    "empty fmtp": {"body": offer(MEDIA) + b"a=fmtp:\r\n"},
    "rtpmap 999": {"body": offer(MEDIA) + b"a=rtpmap:999 PCMU/8000\r\n"},
    "port 99999": {"body": offer((TRUNK[0], 99999))},
    "format 256": {"body": offer(MEDIA).replace(b"AVP 0", b"AVP 256")},
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_overflow_of_a_trunk_is_a_bad_request(server: HostileServer, trunk: Party, name: str) -> None:
    request = trunk.request("INVITE", **{"body": offer(MEDIA), **OVERFLOWS[name]})
    assert ask(trunk, request).status == 400


def test_multipart_of_a_trunk_is_refused(server: HostileServer, trunk: Party) -> None:
    parts = b"".join(b"--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(500))
    request = trunk.request("INVITE", body=parts, content_type="multipart/mixed;boundary=b0")
    assert ask(trunk, request).status == 415


# -- S14: extension enumeration and guessing ---------------------------------------------------------------------


def register(party: Party, user: str, extra: tuple[str, ...] = ()) -> Answer:
    return ask(party, party.request("REGISTER", to=user, user=user, extra=extra))


def shape(answer: Answer) -> str:
    """An answer without what differs each time."""
    text = re.sub(r'nonce="[^"]*"', "", answer.text)
    return "\n".join(re.sub(r"^(Via|From|To|Call-ID|CSeq):.*", r"\1", line) for line in text.split("\r\n"))


def timed(party: Party, user: str, password: str) -> tuple[float, Answer]:
    """A guess from a source of its own, so that nobody is locked out, and how long its answer takes."""
    challenge = register(party, user)
    proof = authorization(challenge, "REGISTER", user, password)
    begun = time.perf_counter()
    answer = register(party, user, (proof,))
    return time.perf_counter() - begun, answer


def test_known_and_unknown_extensions_are_answered_alike(server: HostileServer) -> None:
    users = ("ann", "nobody", "bob", "1001", "m1", "x" * 60)
    shapes: set[str] = set()
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS):
        # Another address each time: a lockout is by source and user.
        with Party(server.sip, (f"127.24.{number // 200}.{1 + number % 200}", 0)) as party:
            for user in users:
                took, answer = timed(party, user, "wrong")
                assert answer.status == 401
                shapes.add(shape(answer))
                times[user in {"ann", "bob", "m1"}].append(took)
    assert len(shapes) == 1, shapes
    known, unknown = (statistics.median(times[which]) for which in (True, False))
    spread = statistics.quantiles(times[True], n=4)
    told = "known {:.0f} us, unknown {:.0f} us, quartiles {:.0f}-{:.0f}".format(
        *(1e6 * each for each in (known, unknown, spread[0], spread[2]))
    )
    print(f"\n{told}")
    assert abs(known - unknown) < max(spread[2] - spread[0], 50e-6), told


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
def test_first_answer_does_not_tell_who_exists(server: HostileServer, stranger: Party, method: str) -> None:
    answers = {
        shape(ask(stranger, stranger.request(method, to=user, user=user))) for user in ("ann", "nobody", "100")
    }
    assert len(answers) == 1, answers


def test_guessing_locks_the_source_out_and_nobody_else(server: HostileServer) -> None:
    password = server.secrets()["bob"]
    with Party(server.sip, ("127.24.9.1", 0)) as guesser, Party(server.sip, ("127.24.9.2", 0)) as owner:
        wrong = [timed(guesser, "bob", f"guess{number}")[1] for number in range(6)]
        right = timed(guesser, "bob", password)[1]
        assert {answer.status for answer in (*wrong, right)} == {401}
        assert shape(right) == shape(wrong[0])
        assert timed(owner, "bob", password)[1].status == 200
        challenge = register(owner, "bob")
        gone = register(owner, "bob", (authorization(challenge, "REGISTER", "bob", password), "Expires: 0"))
        assert gone.status == 200


def test_no_answer_names_server_or_version(server: HostileServer, stranger: Party) -> None:
    told = [
        ask(stranger, stranger.request(method, body=b"x")) for method in ("OPTIONS", "REGISTER", "INVITE", "NOPE")
    ]
    for answer in told:
        assert not re.search(r"(?im)^(server|user-agent|organization):", answer.text), answer.text
        assert __version__ not in answer.text.replace("SIP/2.0", "")


# -- S16: spoofing and replay ------------------------------------------------------------------------------------

SPOOFS = [("127.0.0.24", 5060), ("127.0.0.26", 5061), ("127.0.0.25", 0)]


@pytest.mark.parametrize("source", SPOOFS)
@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "INFO", "CANCEL", "ACK", "OPTIONS"])
def test_spoofed_request_in_a_call_is_refused(
    server: HostileServer, call: Call, method: str, source: tuple[str, int]
) -> None:
    with Party(server.sip, source) as spoofer:
        cseq = 1 if method in {"CANCEL", "ACK"} else 50
        body = offer((ATTACKER, 9000)) if method in {"INVITE", "ACK"} else b""
        spoofer.send(call.request(method, by=spoofer, cseq=cseq, body=body))
        if method == "ACK":
            assert spoofer.receive(0.2) is None
        else:
            assert spoofer.final(call.call_id).status in {403, 481}


def test_spoofed_cancel_leaves_a_ringing_call(server: HostileServer, trunk: Party) -> None:
    with Party(server.sip, PHONE) as phone, Party(server.sip, (ATTACKER, 0)) as spoofer:
        call = Call(trunk, "300", "to-cancel", "canceller")
        invite = call.request("INVITE", body=offer(MEDIA), branch="z9hG4bKtocancel")
        trunk.send(invite)
        rings = phone.wait(lambda answer: answer.text.startswith("INVITE "), "the INVITE at the phone")
        phone.send(rings.as_reply("180 Ringing", tag="rings"))
        # The very Via of the caller, from elsewhere.
        cancel = call.request("CANCEL", branch="z9hG4bKtocancel")
        spoofer.send(cancel.replace(b";rport", b""))
        eventually("the CANCEL is refused", lambda: server.status()["sip"]["refusals"].get("cancel_unknown"))
        phone.send(rings.as_reply("200 OK", tag="rings", body=offer((PHONE[0], 24902)), extra=contact(phone)))
        answer = trunk.final("to-cancel")
        assert answer.status == 200
        call.answered(answer)
        assert call.hang_up().status == 200
        bye = phone.wait(lambda answer: answer.text.startswith("BYE "), "BYE at the phone")
        phone.send(bye.as_reply("200 OK"))
    eventually("no call is left", lambda: not server.status()["calls"])


def test_spoofed_ack_cannot_turn_the_sound_of_a_late_offer_away(server: HostileServer, trunk: Party) -> None:
    call = Call(trunk, "100", "late-offer", "late")
    trunk.send(call.request("INVITE"))
    answer = trunk.final("late-offer")
    assert answer.status == 200
    call.to_tag = answer.to_tag
    with Party(server.sip, (ATTACKER, 0)) as spoofer, listening((ATTACKER, 24904)) as thief:
        spoofer.send(call.request("ACK", by=spoofer, body=offer((ATTACKER, 24904))))
        eventually("the ACK is refused", lambda: server.status()["sip"]["refusals"].get("spoofed"))
        trunk.send(call.request("ACK", body=offer((TRUNK[0], 24906))))
        with Sound((TRUNK[0], 24906), b"\x12" * 160).start(answer.media) as sound:
            eventually("the caller hears himself", lambda: len(sound.heard) > 10)
        with pytest.raises(BlockingIOError):
            thief.recv(2048)
    assert call.hang_up().status == 200
    eventually("no call is left", lambda: not server.status()["calls"])


def contact(party: Party) -> str:
    return f"Contact: <sip:m1@{party.local[0]}:{party.local[1]}>\r\n"


def test_replayed_proof_is_refused(server: HostileServer, stranger: Party) -> None:
    password = server.secrets()["ann"]
    with Party(server.sip, ("127.24.9.3", 0)) as ann:
        proof = authorization(register(ann, "ann"), "REGISTER", "ann", password)
        assert register(ann, "ann", (proof,)).status == 200
        for replayer in (ann, stranger):
            replayed = register(replayer, "ann", (proof,))
            assert replayed.status == 401
            assert "stale=true" in replayed.text
        # A proof of one method is none of another, and one of another user's is none.
        fresh = authorization(register(ann, "ann"), "REGISTER", "ann", password)
        invite = ann.request("INVITE", to="100", user="ann", extra=(fresh,), body=offer((ATTACKER, 9000)))
        assert ask(ann, invite).status == 401
        other = authorization(register(ann, "ann"), "REGISTER", "ann", password)
        assert ask(ann, ann.request("REGISTER", to="bob", user="bob", extra=(other,))).status == 403
        forged = re.sub(r'nonce="[^"]*"', f'nonce="{"0" * 64}"', proof)
        assert register(stranger, "ann", (forged,)).status == 401
        last = authorization(register(ann, "ann"), "REGISTER", "ann", password)
        assert register(ann, "ann", (last, "Expires: 0")).status == 200
    assert server.rows() == []
