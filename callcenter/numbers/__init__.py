"""Pure library: telephone numbers as callers, phones and trunks write them. Knows no room."""

from callcenter.numbers.number import (
    PhoneNumber,
    Reading,
    lookup_candidates,
    national_digits,
    normalise,
    readings,
    spellings,
)

__all__ = [
    "PhoneNumber",
    "Reading",
    "lookup_candidates",
    "national_digits",
    "normalise",
    "readings",
    "spellings",
]
