"""What number is meant: E.164 where there is one, else what kind of thing was written.

Sources: ITU-T E.164 and the plans of `phonenumbers`; RFC 3323 section 4.1 (anonymous), RFC 3966 (tel:).
Withheld stays withheld: such a number has no E.164 form and no candidates for a lookup.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import phonenumbers

Kind = Literal["normal", "short", "withheld", "invalid"]

How = Literal["exact", "national", "plus_missing", "digits", "extension_cut", "main_number"]

MAX_LENGTH = 64
MAX_DIGITS = 20
SHORT_DIGITS = 6  # 110, 112, 10086, 1001: meaningful as they stand, with no country

# Germany, Austria and the fixed lines of Italy: a main number of at least MIN_MAIN characters, then the extension.
DIALS_THROUGH = ("+43", "+49", "+390")
MIN_MAIN = 8
MAX_EXTENSION = 4

_WITHHELD = frozenset(
    (
        "",
        "-",
        "anonymous",
        "anonymous caller",
        "blocked",
        "id unavailable",
        "no caller id",
        "no number",
        "not available",
        "null",
        "number withheld",
        "out of area",
        "private",
        "private number",
        "restricted",
        "unavailable",
        "unknown",
        "unknown caller",
        "withheld",
    )
)
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_EXTENSION = re.compile(r"\s*(?:;\s*ext\s*=|,|\bext(?:ension)?\.?|\bx|#)\s*\d{1,11}\s*$", re.IGNORECASE)
_ALLOWED = re.compile(r"\+?[\d\s()/.\-]+(?:\*\d+)?")
_SEPARATORS = re.compile(r"[^\d+*]")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """`raw` as it was written; `e164` ("+39061234567") only for kind normal."""

    e164: str | None
    raw: str
    kind: Kind

    @property
    def digits(self) -> str:
        """What can be dialled: E.164, or a short number's digits; empty otherwise."""
        if self.e164 is not None:
            return self.e164
        return _SEPARATORS.sub("", _bare(self.raw)) if self.kind == "short" else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A form under which a number may be on file, and how it came from what was written."""

    form: str
    how: How


@lru_cache(maxsize=4096)
def normalise(raw: str, *, region: str) -> PhoneNumber:
    """The number in `raw`, read as somebody in `region` (ISO 3166, "IT") would dial it. Never raises."""
    bare = _bare(raw)
    if bare.casefold() in _WITHHELD and (bare or not raw.strip() or _SCHEME.match(raw)):
        return PhoneNumber(None, raw, "withheld")
    if len(raw) > MAX_LENGTH or not _ALLOWED.fullmatch(bare):
        return PhoneNumber(None, raw, "invalid")
    digits = _SEPARATORS.sub("", bare)
    if not digits.startswith("+") and len(digits) <= SHORT_DIGITS:
        return PhoneNumber(None, raw, "short" if digits.isdigit() else "invalid")
    e164 = _e164(bare, region)
    return PhoneNumber(e164, raw, "normal" if e164 else "invalid")


def lookup_candidates(raw: str, *, region: str) -> tuple[str, ...]:
    """The forms under which a customer's number may be on file, best first; none for a withheld one.

    E.164 comes first, then the same read as an international number without its plus (as trunks often send it), then
    the digits as they are. A reading that is assigned in its numbering plan goes before one that is merely possible.
    """
    number = normalise(raw, region=region)
    if number.kind == "withheld":
        return ()
    digits = _SEPARATORS.sub("", _bare(raw)).partition("*")[0].lstrip("+")
    if not 0 < len(digits) <= MAX_DIGITS:
        return ()
    readings = [number.e164]
    if not _bare(raw).startswith("+") and len(digits) > SHORT_DIGITS:
        readings.append(_e164(f"+{digits}", region))
    found = sorted((form for form in readings if form), key=_is_assigned, reverse=True)
    return tuple(dict.fromkeys([*found, digits]))


def readings(raw: str, *, region: str) -> tuple[Reading, ...]:
    """What `raw` may mean on file, best first: `lookup_candidates` and why, then the main numbers it may be behind.

    Where numbers have no fixed length (DIALS_THROUGH) an exchange sends its main number and the extension in one.
    """
    forms = lookup_candidates(raw, region=region)
    if not forms:
        return ()
    number = normalise(raw, region=region)
    bare = _bare(raw)
    cut = _EXTENSION.search(raw) is not None or "*" in bare
    found = [Reading(form, "extension_cut" if cut else _how(form, number.e164, bare)) for form in forms]
    main = found[0].form
    if main.startswith(DIALS_THROUGH):
        lengths = range(len(main) - 1, max(len(main) - MAX_EXTENSION, MIN_MAIN) - 1, -1)
        found += [Reading(main[:length], "main_number") for length in lengths]
    return tuple(found)


def spellings(form: str, *, region: str) -> tuple[str, ...]:
    """How a trunk or a person in `region` may write the number that is on file as `form`, without separators."""
    if not form.startswith("+"):
        return (form,)
    digits = form[1:]
    spelled = [form, digits, f"00{digits}"]
    number = phonenumbers.parse(form)
    if number.country_code == phonenumbers.country_code_for_region(region):
        spelled.append(national_digits(form))
    return tuple(dict.fromkeys(spelled))


@lru_cache(maxsize=4096)
def national_digits(form: str) -> str:
    """The digits of E.164 `form` as its own country dials them; of a short number the digits."""
    if not form.startswith("+"):
        return form
    national = phonenumbers.format_number(phonenumbers.parse(form), phonenumbers.PhoneNumberFormat.NATIONAL)
    return re.sub(r"\D", "", str(national))


def _how(form: str, e164: str | None, bare: str) -> How:
    if form == e164:
        return "exact" if bare.startswith(("+", "00")) else "national"
    return "plus_missing" if form.startswith("+") else "digits"


def _is_assigned(e164: str) -> bool:
    return bool(phonenumbers.is_valid_number(phonenumbers.parse(e164)))


def _bare(raw: str) -> str:
    """`raw` without scheme, host, parameters, extension and display decoration; digits of any script as 0-9."""
    text = unicodedata.normalize("NFKC", raw).strip(" \t\"'<>")
    if _SCHEME.match(text):
        text = unquote(_SCHEME.sub("", text, count=1)).partition("@")[0]
    text = _EXTENSION.sub("", text).partition(";")[0]
    text = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)
    return text.strip().replace("(0)", "") if text.lstrip().startswith(("+", "00")) else text.strip()


def _e164(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text.partition("*")[0], region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
