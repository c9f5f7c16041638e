"""The dialog's value: what it derives from the leg, where it sends, and that its row reads back."""

import dataclasses

import pytest
from msgspec.structs import replace

from callcenter.calls.ports import Target
from callcenter.kernel.codec import decode, encode
from callcenter.sip.dialog import Dialog, branch, describe, is_peer, local_uri, next_hop, sdp_session, to_target
from callcenter.sip.hop import Hop
from tests.support.sip import OUR_MEDIA

PEER = Hop("udp", "10.0.0.3", 5070)
DIALOG = to_target("leg1", Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900"), "10.0.0.1")


def test_identifiers_derive_from_the_leg() -> None:
    assert (DIALOG.call_id, DIALOG.local_tag) == ("leg1", "leg1")
    assert branch("leg1", 2, "bye") == "z9hG4bKleg1-2-bye"
    assert sdp_session("leg1") == DIALOG.sdp_session != sdp_session("leg2")


def test_row_reads_back_as_it_was() -> None:
    dialog = replace(describe(DIALOG, OUR_MEDIA), outbound_invite=b"\xff\x00", bye_hop=PEER, route_set=("sip:a;lr",))
    assert decode(encode(dialog), Dialog) == dialog


def test_sdp_version_grows_only_with_a_change() -> None:
    once = describe(DIALOG, OUR_MEDIA)
    assert (once.sdp_version, describe(once, OUR_MEDIA).sdp_version) == (1, 1)
    assert describe(once, dataclasses.replace(OUR_MEDIA, port=20002)).sdp_version == 2


@pytest.mark.parametrize(
    ("user", "uri"),
    [("900", "sip:900@h"), ("+49 30", "sip:+49%2030@h"), ("a\r\nb@c", "sip:a%0D%0Ab%40c@h"), ("", "sip:h")],
)
def test_user_is_escaped_in_our_uri(user: str, uri: str) -> None:
    assert local_uri(user, "h") == uri


@pytest.mark.parametrize(
    ("source", "trusted"),
    [
        (PEER, True),
        (Hop("udp", "10.0.0.3", 5080), True),
        (Hop("udp", "10.0.0.3", 6000), False),
        (Hop("tcp", "10.0.0.3", 6000), True),
        (Hop("udp", "10.0.0.9", 5060), True),
        (Hop("udp", "10.0.0.9", 5061), False),
    ],
)
def test_peer_is_known_by_its_addresses(source: Hop, trusted: bool) -> None:
    dialog = replace(DIALOG, remote_target="sip:m1@10.0.0.3:5080")
    assert is_peer(dialog, source, [("10.0.0.9", 5060)]) is trusted


@pytest.mark.parametrize(
    ("target", "route", "hop"),
    [
        ("sip:m1@10.0.0.3:5080", (), Hop("udp", "10.0.0.3", 5080)),
        ("sip:m1@10.0.0.3", (), Hop("udp", "10.0.0.3", 5060)),
        ("sip:m1@192.168.0.1", (), PEER),
        ("sip:m1@10.0.0.9:5060", (), Hop("udp", "10.0.0.9", 5060)),
        ("sip:m1@192.168.0.1", ("sip:10.0.0.3:5090;lr",), Hop("udp", "10.0.0.3", 5090)),
        ("sip:m1@10.0.0.3:5080", ("sip:10.0.0.77;lr",), PEER),
        ("tel:123", (), PEER),
    ],
)
def test_next_request_goes_to_the_peer_only(target: str, route: tuple[str, ...], hop: Hop) -> None:
    dialog = replace(DIALOG, remote_target=target, route_set=route)
    assert next_hop(dialog, [("10.0.0.9", 5060)]) == hop


def test_tcp_connection_is_used_while_it_is_there() -> None:
    dialog = replace(DIALOG, hop=Hop("tcp", "10.0.0.3", 41000))
    assert next_hop(dialog, connected=True) == Hop("tcp", "10.0.0.3", 41000)
    assert next_hop(dialog, connected=False) == Hop("tcp", "10.0.0.3", 5070)
