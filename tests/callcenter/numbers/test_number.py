"""What number is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.numbers import PhoneNumber, lookup_candidates, national_digits, normalise, readings, spellings


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+39 06 1234567", "CN", "+39061234567"),
        ("06/1234567", "IT", "+39061234567"),
        ("06-123.45.67", "IT", "+39061234567"),
        ("0039061234567", "IT", "+39061234567"),
        ("3481234567", "IT", "+393481234567"),
        ("+44 (0)20 7946 0018", "IT", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("021 6234 5678", "CN", "+862162345678"),
        ("13812345678", "CN", "+8613812345678"),
        ("+1 (555) 010-0123", "IT", "+15550100123"),
        ("sip:+39061234567@192.0.2.1;user=phone", "IT", "+39061234567"),
        ("sip:%2B39061234567@192.0.2.1", "IT", "+39061234567"),
        ("tel:+39-06-1234567;ext=12", "IT", "+39061234567"),
        ("06 1234567 ext. 12", "IT", "+39061234567"),
        ("06 1234567 x12", "IT", "+39061234567"),
        ("+39061234567#12", "IT", "+39061234567"),
        ("０６１２３４５６７", "IT", "+39061234567"),
        ("<+39061234567>", "IT", "+39061234567"),
    ],
)
def test_a_number_is_read_as_its_region_dials_it(raw: str, region: str, e164: str | None) -> None:
    assert normalise(raw, region=region).e164 == e164


@pytest.mark.parametrize(
    "raw",
    ["", "  ", "anonymous", "Anonymous", "UNAVAILABLE", "Restricted", "unknown", "Private Number", "No Caller ID",
     '"Anonymous"', "sip:anonymous@anonymous.invalid", "<unavailable>"],
)  # fmt: skip
def test_a_withheld_number_stays_withheld(raw: str) -> None:
    assert normalise(raw, region="IT") == PhoneNumber(None, raw, "withheld")
    assert lookup_candidates(raw, region="IT") == ()


@pytest.mark.parametrize("raw", ["1001", "110", "112", "10086", "sip:1001@phones.example"])
def test_a_short_number_means_itself(raw: str) -> None:
    number = normalise(raw, region="IT")
    assert (number.kind, number.e164) == ("short", None)
    assert number.digits == raw.removeprefix("sip:").partition("@")[0]


@pytest.mark.parametrize("raw", ["x", "+", "alice", "*67", "; drop", "+" + "9" * 30, "1" * 100])
def test_what_is_no_number_is_invalid_and_cannot_be_dialled(raw: str) -> None:
    number = normalise(raw, region="IT")
    assert (number.kind, number.e164, number.digits) == ("invalid", None, "")


def test_candidates_begin_with_the_number_as_the_region_means_it() -> None:
    assert lookup_candidates("06/1234567", region="IT") == ("+39061234567", "061234567")


def test_a_trunk_that_drops_the_plus_is_understood() -> None:
    assert lookup_candidates("442079460018", region="IT")[0] == "+442079460018"


def test_the_same_number_written_in_many_ways_has_one_e164_candidate() -> None:
    spellings = ["+39 06 1234567", "0039 06 1234567", "06/1234567", "06 123 45 67", "39061234567", "tel:+39061234567"]
    assert {lookup_candidates(spelling, region="IT")[0] for spelling in spellings} == {"+39061234567"}


@pytest.mark.parametrize(
    ("raw", "form", "how"),
    [
        ("+44 20 7946 0018", "+442079460018", "exact"),
        ("0044 20 7946 0018", "+442079460018", "exact"),
        ("06/1234567", "+39061234567", "national"),
        ("442079460018", "+442079460018", "plus_missing"),
        ("1001", "1001", "digits"),
        ("+442079460018 ext. 12", "+442079460018", "extension_cut"),
        ("+442079460018*12", "+442079460018", "extension_cut"),
    ],
)
def test_a_reading_says_how_it_came_about(raw: str, form: str, how: str) -> None:
    first = readings(raw, region="IT")[0]
    assert (first.form, first.how) == (form, how)


def test_the_end_of_a_number_may_be_the_extension_behind_a_main_number() -> None:
    cut = [reading.form for reading in readings("+4312345678", region="IT") if reading.how == "main_number"]
    assert cut == ["+431234567", "+43123456", "+4312345"]


def test_a_number_of_fixed_length_has_no_extension_in_it() -> None:
    assert {reading.how for reading in readings("+442079460018", region="IT")} == {"exact", "digits"}


def test_a_withheld_number_has_no_readings() -> None:
    assert readings("anonymous", region="IT") == ()


def test_spellings_of_a_number_are_those_that_trunks_send() -> None:
    assert spellings("+39061234567", region="IT") == ("+39061234567", "39061234567", "0039061234567", "061234567")
    assert spellings("+442079460018", region="IT") == ("+442079460018", "442079460018", "00442079460018")
    assert spellings("1001", region="IT") == ("1001",)
    assert (national_digits("+442079460018"), national_digits("1001")) == ("02079460018", "1001")


@given(st.text(max_size=80), st.sampled_from(["IT", "CN", "US", "ZZ", ""]))
def test_anything_at_all_is_some_kind_of_number(raw: str, region: str) -> None:
    number = normalise(raw, region=region)
    assert number.raw == raw
    assert (number.e164 is not None) == (number.kind == "normal")
    assert all(candidate.strip("+").isdigit() for candidate in lookup_candidates(raw, region=region))


@given(st.from_regex(r"\+39(06[0-9]{8}|34[0-9]{8})", fullmatch=True))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    number = normalise(raw, region="IT")
    assert number.e164 == raw
    assert normalise(str(number.e164), region="CN").e164 == raw
