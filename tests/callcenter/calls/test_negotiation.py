"""Offers and answers between two sides (RFC 3264)."""

from dataclasses import replace

import pytest

from callcenter.calls.negotiation import accept, default_offer, negotiate
from callcenter.calls.ports import Codec, MediaDescription

OFFER = MediaDescription("127.0.0.2", 6000, ((8, Codec.PCMA), (0, Codec.PCMU)), telephone_event=96, ptime_ms=30)


def test_we_offer_both_codecs_and_key_presses() -> None:
    offer = default_offer("127.0.0.1", 20000)
    assert offer.codecs == ((0, Codec.PCMU), (8, Codec.PCMA))
    assert (offer.address, offer.port, offer.telephone_event, offer.direction) == (
        "127.0.0.1",
        20000,
        101,
        "sendrecv",
    )


def test_the_offerer_chooses_the_codec_and_the_numbers() -> None:
    answer = negotiate(OFFER, address="127.0.0.1", port=20000)
    assert answer == MediaDescription("127.0.0.1", 20000, ((8, Codec.PCMA),), telephone_event=96, ptime_ms=30)


def test_key_presses_are_answered_only_where_they_were_offered() -> None:
    answer = negotiate(replace(OFFER, telephone_event=None), address="127.0.0.1", port=20000)
    assert answer is not None
    assert answer.telephone_event is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_the_direction_is_mirrored(theirs: str, ours: str) -> None:
    answer = negotiate(replace(OFFER, direction=theirs), address="127.0.0.1", port=20000)
    assert answer is not None
    assert answer.direction == ours


@pytest.mark.parametrize("offer", [replace(OFFER, codecs=()), replace(OFFER, port=0)])
def test_nothing_in_common_is_no_answer(offer: MediaDescription) -> None:
    assert negotiate(offer, address="127.0.0.1", port=20000) is None


def test_an_answer_with_one_of_our_codecs_can_be_used() -> None:
    assert accept(replace(OFFER, codecs=((0, Codec.PCMU),)), default_offer("127.0.0.1", 20000))


@pytest.mark.parametrize("answer", [replace(OFFER, codecs=()), replace(OFFER, port=0)])
def test_an_answer_without_them_cannot(answer: MediaDescription) -> None:
    assert not accept(answer, default_offer("127.0.0.1", 20000))


def test_a_codec_that_we_did_not_offer_cannot_be_answered() -> None:
    ours = replace(default_offer("127.0.0.1", 20000), codecs=((0, Codec.PCMU),))
    assert not accept(replace(OFFER, codecs=((8, Codec.PCMA),)), ours)
