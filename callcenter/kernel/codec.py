"""One way to turn state and events into bytes: canonical JSON (sorted keys, RFC 3339 times in UTC).

msgspec reads and writes frozen dataclasses with their types, so a state row that no longer fits its type is found
when it is read and not when a call needs it (ADR 0003).
"""

from typing import TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[object, msgspec.json.Decoder[object]] = {}


def encode(value: object) -> bytes:
    """Canonical JSON: equal values give equal bytes under any PYTHONHASHSEED."""
    return _encoder.encode(value)


def decode(blob: bytes | str, as_type: type[T]) -> T:
    """The value of `as_type` in `blob`; raises `msgspec.ValidationError` naming the path that does not fit."""
    decoder = _decoders.get(as_type)
    if decoder is None:
        decoder = _decoders[as_type] = msgspec.json.Decoder(as_type)
    return decoder.decode(blob)  # type: ignore[return-value]  # the decoder cache is keyed by the type it returns
