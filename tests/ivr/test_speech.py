"""Numbers as a person of the language says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech import LIMIT, NotSpeakable, pieces_of, say_digits, say_number, say_place

HANZI = {"0": "零", "1": "一", "2": "二", "3": "三", "4": "四", "5": "五", "6": "六", "7": "七", "8": "八", "9": "九",
         "shi": "十", "bai": "百", "qian": "千", "wan": "万", "yi": "亿", "liang": "两", "yao": "幺", "minus": "负",
         "star": "星号", "hash": "井号"}  # fmt: skip


def english(pieces: tuple[str, ...]) -> str:
    return " ".join(piece.removeprefix("numbers/") for piece in pieces)


def chinese(pieces: tuple[str, ...]) -> str:
    return "".join(HANZI[piece.removeprefix("numbers/")] for piece in pieces)


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "0"),
        (7, "7"),
        (13, "13"),
        (20, "20"),
        (21, "20 1"),
        (99, "90 9"),
        (100, "1 hundred"),
        (101, "1 hundred and 1"),
        (110, "1 hundred and 10"),
        (999, "9 hundred and 90 9"),
        (1000, "1 thousand"),
        (1001, "1 thousand and 1"),
        (1100, "1 thousand 1 hundred"),
        (1234, "1 thousand 2 hundred and 30 4"),
        (10_010, "10 thousand and 10"),
        (200_000, "2 hundred thousand"),
        (1_000_000, "1 million"),
        (1_000_050, "1 million and 50"),
        (2_345_678, "2 million 3 hundred and 40 5 thousand 6 hundred and 70 8"),
        (3_000_000_000, "3 billion"),
        (-15, "minus 15"),
    ],
)
def test_english_numbers(number: int, spoken: str) -> None:
    assert english(say_number(number, "en")) == spoken


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (22, "二十二"),
        (100, "一百"),
        (101, "一百零一"),
        (110, "一百一十"),
        (111, "一百一十一"),
        (200, "两百"),
        (222, "两百二十二"),
        (1000, "一千"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (1100, "一千一百"),
        (1234, "一千二百三十四"),
        (2000, "两千"),
        (2200, "两千二百"),
        (10_000, "一万"),
        (10_010, "一万零一十"),
        (12_000, "一万二千"),
        (20_000, "两万"),
        (22_000, "两万二千"),
        (100_000, "十万"),
        (101_000, "十万一千"),
        (100_100, "十万零一百"),
        (200_002, "二十万零二"),
        (1_000_000, "一百万"),
        (100_000_000, "一亿"),
        (100_000_001, "一亿零一"),
        (100_001_000, "一亿零一千"),
        (200_020_000, "两亿零二万"),
        (123_456_789, "一亿二千三百四十五万六千七百八十九"),
        (-5, "负五"),
    ],
)
def test_chinese_numbers(number: int, spoken: str) -> None:
    assert chinese(say_number(number, "zh")) == spoken


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        ("1020", "en", "1 0 2 0"),
        ("+39 06", "en", "3 9 0 6"),
        ("*12#", "en", "star 1 2 hash"),
        ("110", "zh", "幺幺零"),
        ("2#", "zh", "二井号"),
    ],
)
def test_digits_are_said_one_by_one(text: str, language: str, spoken: str) -> None:
    say = {"en": english, "zh": chinese}[language]
    assert say(say_digits(text, language)) == spoken


@pytest.mark.parametrize("text", ["", " ", "12a", "一"])
def test_what_is_no_key_cannot_be_said(text: str) -> None:
    with pytest.raises(NotSpeakable):
        say_digits(text, "en")


def test_numbers_beyond_the_pieces_and_unknown_languages_cannot_be_said() -> None:
    with pytest.raises(NotSpeakable):
        say_number(LIMIT, "en")
    with pytest.raises(NotSpeakable):
        say_number(1, "fr")
    with pytest.raises(NotSpeakable):
        say_digits("1", "fr")
    assert pieces_of("fr") == frozenset()


@given(st.integers(-LIMIT + 1, LIMIT - 1), st.sampled_from(["en", "zh"]))
def test_every_number_needs_only_recorded_pieces(number: int, language: str) -> None:
    assert set(say_number(number, language)) <= pieces_of(language)


@given(st.integers(0, LIMIT - 1), st.sampled_from(["en", "zh"]))
def test_a_spoken_number_is_understood_as_itself(number: int, language: str) -> None:
    pieces = [piece.removeprefix("numbers/") for piece in say_number(number, language)]
    assert understand(pieces) == number


SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9,
          "shi": 10, "bai": 100, "qian": 1000, "wan": 10**4, "yi": 10**8}  # fmt: skip
SMALL = {"hundred", "shi", "bai", "qian"}


def understand(pieces: list[str]) -> int:
    """What a listener makes of the pieces: small scales multiply the digit before, great ones the group before."""
    total = group = digit = 0
    for piece in pieces:
        if piece in SMALL:
            group += (digit or 1) * SCALES[piece]
            digit = 0
        elif piece in SCALES:
            total += (group + digit) * SCALES[piece]
            group = digit = 0
        elif piece != "and":
            digit += 2 if piece == "liang" else int(piece)
    return total + group + digit


def test_a_place_and_a_wait_are_said_in_words_of_their_own() -> None:
    assert say_place(3, 240, "en") == (
        *("position-is", "numbers/3", "position-in-line"),
        *("wait-is", "numbers/4", "wait-minutes"),
    )
    assert say_place(1, 60, "en") == ("position-next", "wait-is", "numbers/1", "wait-minute")
    assert say_place(None, 30, "en") == ("wait-is", "numbers/30", "wait-seconds")
    assert say_place(12, None, "zh") == ("position-is", "numbers/shi", "numbers/2", "position-in-line")


def test_two_minutes_are_liang_in_mandarin() -> None:
    assert say_place(2, 120, "zh")[-3:] == ("wait-is", "numbers/liang", "wait-minutes")
    assert say_number(2, "zh") == ("numbers/2",)


def test_nothing_known_is_nothing_said() -> None:
    assert say_place(None, None, "en") == ()
