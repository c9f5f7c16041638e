"""Numbers and digits as sequences of recorded pieces: English (British "and") and Mandarin. No synthesis.

A piece is a prompt id below `numbers/`. Mandarin: groups of four places (wan, yi), one zero for any run of skipped
places, "liang" for a leading 2 before bai/qian/wan/yi, a leading "yi shi" shortened to "shi", "yao" for 1 in digit
strings.
"""

from collections.abc import Callable

LIMIT = 10**12
KEYS = "0123456789*#"
_SYMBOLS = {"*": "star", "#": "hash"}


class NotSpeakable(Exception):
    """No pieces for this value or language."""


def say_digits(text: str, language: str) -> tuple[str, ...]:
    """Pieces for `text` key by key; spaces and a leading plus are skipped. Raises NotSpeakable."""
    if language not in _SPEAKERS:
        raise NotSpeakable("language")
    keys = [key for key in text if key not in " +"]
    if not keys or any(key not in KEYS for key in keys):
        raise NotSpeakable("not digits")
    one = "yao" if language == "zh" else "1"
    return tuple(f"numbers/{_SYMBOLS.get(key, one if key == '1' else key)}" for key in keys)


def say_number(value: int, language: str, *, before_measure: bool = False) -> tuple[str, ...]:
    """Pieces for the cardinal `value`, |value| < 10^12; `before_measure`: a unit follows. Raises NotSpeakable."""
    speaker = _SPEAKERS.get(language)
    if speaker is None:
        raise NotSpeakable("language")
    if abs(value) >= LIMIT:
        raise NotSpeakable("too large")
    pieces = ["liang"] if before_measure and language == "zh" and abs(value) == 2 else speaker(abs(value))
    if value < 0:
        pieces.insert(0, "minus")
    return tuple(f"numbers/{piece}" for piece in pieces)


def say_place(position: int | None, wait_s: int | None, language: str) -> tuple[str, ...]:
    """Pieces for the place of a waiting caller and the wait that he may expect, each where it is known.

    Whole minutes are told as minutes, what is shorter or between them as seconds. Raises NotSpeakable.
    """
    pieces: list[str] = []
    if position == 1:
        pieces.append("position-next")
    elif position is not None:
        pieces += ["position-is", *say_number(position, language), "position-in-line"]
    if wait_s is not None:
        count, unit = (wait_s // 60, "minutes") if wait_s % 60 == 0 else (wait_s, "seconds")
        if (count, unit) == (1, "minutes"):
            unit = "minute"
        pieces += ["wait-is", *say_number(count, language, before_measure=True), f"wait-{unit}"]
    return tuple(pieces)


def pieces_of(language: str) -> frozenset[str]:
    """Every prompt id that a number or digit string may need in `language`; empty for an unknown language."""
    return _PIECES.get(language, frozenset())


def _english(value: int) -> list[str]:
    if value == 0:
        return ["0"]
    pieces: list[str] = []
    for scale, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")):
        count, value = divmod(value, scale)
        if count:
            pieces += [*_english_hundreds(count), word]
    if value:
        if pieces and value < 100:
            pieces.append("and")
        pieces += _english_hundreds(value)
    return pieces


def _english_hundreds(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    pieces = [str(hundreds), "hundred"] if hundreds else []
    if rest:
        if hundreds:
            pieces.append("and")
        pieces += _english_tens(rest)
    return pieces


def _english_tens(value: int) -> list[str]:
    if value < 20:
        return [str(value)]
    tens, ones = divmod(value, 10)
    return [str(tens * 10), str(ones)] if ones else [str(tens * 10)]


def _chinese(value: int) -> list[str]:
    if value == 0:
        return ["0"]
    pieces: list[str] = []
    skipped = False
    for scale, word in ((10**8, "yi"), (10**4, "wan"), (1, "")):
        count, value = divmod(value, scale)
        if not count:
            skipped = True
            continue
        # Empty places before a group's first digit are one zero, unless the number begins there.
        if pieces and (skipped or count < 1000):
            pieces.append("0")
        skipped = False
        pieces += _chinese_group(count)
        if word:
            pieces.append(word)
    if pieces[:2] == ["1", "shi"]:
        pieces = pieces[1:]
    if len(pieces) > 1 and pieces[0] == "2" and pieces[1] != "shi":
        pieces[0] = "liang"
    return pieces


def _chinese_group(value: int) -> list[str]:
    pieces: list[str] = []
    skipped = False
    for scale, word in ((1000, "qian"), (100, "bai"), (10, "shi"), (1, "")):
        digit, value = divmod(value, scale)
        if not digit:
            skipped = True
            continue
        if skipped and pieces:
            pieces.append("0")
        skipped = False
        pieces.append(str(digit))
        if word:
            pieces.append(word)
    return pieces


_SPEAKERS: dict[str, Callable[[int], list[str]]] = {"en": _english, "zh": _chinese}
_DIGITS = [*(str(digit) for digit in range(10)), "star", "hash", "minus"]
_ENGLISH = [*(str(n) for n in range(10, 20)), *(str(n) for n in range(20, 100, 10))]
_PIECES = {
    "en": frozenset(
        f"numbers/{p}" for p in [*_DIGITS, *_ENGLISH, "hundred", "thousand", "million", "billion", "and"]
    ),
    "zh": frozenset(f"numbers/{p}" for p in [*_DIGITS, "shi", "bai", "qian", "wan", "yi", "liang", "yao"]),
}
