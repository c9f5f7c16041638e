"""Which codec two sides speak (RFC 3264 sections 5, 6 and 8, RFC 4733).

Decides our offer, our answer to an offer, and whether an answer to our offer can be used. A worker speaks every codec
of `Codec`, so the offerer's order of preference is followed.
"""

from callcenter.calls.ports import Codec, MediaDescription

_OFFERED = ((0, Codec.PCMU), (8, Codec.PCMA))
_TELEPHONE_EVENT = 101
# What one side does, seen from the other (RFC 3264 section 6.1).
_MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


def default_offer(address: str, port: int) -> MediaDescription:
    """What we always offer, with `address` and `port` of our own RTP."""
    return MediaDescription(address, port, _OFFERED, telephone_event=_TELEPHONE_EVENT)


def negotiate(offer: MediaDescription, *, address: str, port: int) -> MediaDescription | None:
    """Our answer: the offerer's first codec, its payload type for key presses, its direction mirrored.

    None where nothing is in common or the stream is switched off (488).
    """
    if offer.port == 0 or not offer.codecs:
        return None
    return MediaDescription(
        address,
        port,
        offer.codecs[:1],
        telephone_event=offer.telephone_event,
        direction=_MIRRORED.get(offer.direction, "inactive"),
        ptime_ms=offer.ptime_ms,
    )


def accept(answer: MediaDescription, ours: MediaDescription) -> bool:
    """Whether the peer's `answer` to our offer can be used: the stream is on and a codec of it is one we offered."""
    offered = {codec for _, codec in ours.codecs}
    return answer.port != 0 and any(codec in offered for _, codec in answer.codecs)
