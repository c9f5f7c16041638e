"""The words under which a customer is found: prefixes of name, company, email, external id and numbers.

Case, accents and width do not count ("muller" finds "Müller"). Chinese is written without spaces, so a run of Han
characters is found from each of its characters on. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable

from callcenter.numbers import national_digits

MOST_TERMS = 60
TERM_LENGTH = 64
MOST_WORDS = 5
# Above every term that begins with a prefix, in the order of code points.
LAST = "\U0010ffff"

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HAN_FROM = 8
_NUMBER = re.compile(r"\+?[\d\s()/.\-]+")
_FEWEST_DIGITS = 3


def terms_of(texts: Iterable[str], email: str, numbers: Iterable[str]) -> tuple[str, ...]:
    """The terms of a customer: `texts` word by word, `email` also whole, `numbers` (E.164 or short) in both forms."""
    found: dict[str, None] = {}
    for form in numbers:
        found.update(dict.fromkeys((form.lstrip("+"), national_digits(form))))
    for text in (*texts, email):
        for word in _WORD.findall(folded(text)):
            found.update(dict.fromkeys(_starts(word)))
    found[folded(email)] = None
    found.pop("", None)
    return tuple(dict.fromkeys(term[:TERM_LENGTH] for term in found))[:MOST_TERMS]


def prefixes_of(query: str) -> tuple[str, ...]:
    """What terms must begin with to fit `query`, the longest first; all must fit, none means that nothing does."""
    if _NUMBER.fullmatch(query.strip()) and len(digits := re.sub(r"\D", "", query)) >= _FEWEST_DIGITS:
        return (digits[2:] if digits.startswith("00") else digits,)
    words: dict[str, None] = {}
    for part in folded(query).split():
        words.update(dict.fromkeys([part] if "@" in part else _WORD.findall(part)))
    return tuple(sorted((word[:TERM_LENGTH] for word in words), key=len, reverse=True)[:MOST_WORDS])


def folded(text: str) -> str:
    """`text` without case, accents and differences of width."""
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if unicodedata.category(c) != "Mn")).casefold()


def _starts(word: str) -> list[str]:
    return [word, *(word[m.start() :] for m in list(_HAN.finditer(word))[:_HAN_FROM] if m.start())]
