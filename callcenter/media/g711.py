"""G.711 by table: u-law and A-law into each other and into 16-bit samples (ITU-T G.711, RFC 3551 section 4.5.14).

Codecs are named as in an SDP: PCMU and PCMA. A conversion is one `bytes.translate`, the cheapest there is in Python.
"""

from callcenter.media.audio import audioop

PCMU = "PCMU"
PCMA = "PCMA"
STATIC_TYPES = {0: PCMU, 8: PCMA}
RATE = 8000
FRAME = 160
"""Samples, and bytes, of 20 ms."""

SILENCE = {PCMU: b"\xff", PCMA: b"\xd5"}

_EVERY_CODE = bytes(range(256))
_TABLES = {
    (PCMU, PCMA): audioop.lin2alaw(audioop.ulaw2lin(_EVERY_CODE, 2), 2),
    (PCMA, PCMU): audioop.lin2ulaw(audioop.alaw2lin(_EVERY_CODE, 2), 2),
}


def convert(payload: bytes, source: str, target: str) -> bytes:
    """`payload` of codec `source` in codec `target`."""
    return payload if source == target else payload.translate(_TABLES[source, target])


def to_linear(payload: bytes, codec: str) -> bytes:
    """16-bit little-endian samples (on the little-endian machines that we run on)."""
    return audioop.ulaw2lin(payload, 2) if codec == PCMU else audioop.alaw2lin(payload, 2)


def from_linear(samples: bytes, codec: str) -> bytes:
    """G.711 of 16-bit samples."""
    return audioop.lin2ulaw(samples, 2) if codec == PCMU else audioop.lin2alaw(samples, 2)


def _halves(codec: str) -> tuple[bytes, bytes]:
    samples = bytearray(to_linear(_EVERY_CODE, codec))
    # A-law has no zero; in a recording its silence is one, and not a constant offset of 8.
    silence = SILENCE[codec][0]
    samples[2 * silence : 2 * silence + 2] = b"\0\0"
    return bytes(samples[0::2]), bytes(samples[1::2])


_HALVES = {codec: _halves(codec) for codec in (PCMU, PCMA)}


def stereo(left: bytes, left_codec: str, right: bytes, right_codec: str) -> bytes:
    """Two equally long runs of G.711 as PCM16 stereo; a third of the cost of doing it with audioop."""
    samples = bytearray(4 * len(left))
    low, high = _HALVES[left_codec]
    samples[0::4], samples[1::4] = left.translate(low), left.translate(high)
    low, high = _HALVES[right_codec]
    samples[2::4], samples[3::4] = right.translate(low), right.translate(high)
    return bytes(samples)
