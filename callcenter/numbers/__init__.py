"""Pure library: telephone numbers as callers, phones and trunks write them. Knows no room."""

from callcenter.numbers.number import PhoneNumber, lookup_candidates, normalise

__all__ = ["PhoneNumber", "lookup_candidates", "normalise"]
