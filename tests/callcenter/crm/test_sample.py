"""The sample customers: nobody's names, nobody's numbers, always the same."""

import re
from collections import Counter

from callcenter.crm.importing import CustomerRow, read_rows
from callcenter.crm.sample import RANGES, sample_csv
from tests.test_house.tree import REPOSITORY

FILE = REPOSITORY / "config" / "samples" / "customers.csv"


def rows() -> list[CustomerRow]:
    read = list(read_rows(FILE.read_text(encoding="utf-8").splitlines(keepends=True), region="IT"))
    good = [row for row in read if isinstance(row, CustomerRow)]
    assert len(good) == len(read)
    return good


def test_file_is_what_the_script_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == sample_csv()


def test_all_two_hundred_rows_can_be_imported_in_three_languages() -> None:
    assert Counter(row.language for row in rows()) == {"en": 100, "it": 60, "zh-CN": 40}
    assert all(row.numbers and row.external_id for row in rows())


def test_numbers_are_of_ranges_that_are_kept_for_fiction() -> None:
    kept = [re.sub(r"\s", "", prefix) for prefix, _ in RANGES] + ["+441632960"]
    numbers = [number.e164 for row in rows() for number in row.numbers]
    assert all(number.startswith(tuple(kept)) for number in numbers)


def test_some_customers_have_several_numbers_and_some_numbers_several_customers() -> None:
    owners = Counter(number.e164 for row in rows() for number in row.numbers)
    assert max(len(row.numbers) for row in rows()) >= 3
    assert sum(count > 1 for count in owners.values()) >= 3


def test_mail_goes_to_nobody() -> None:
    assert all(re.fullmatch(r"customer\d{3}@example\.(com|net|org)", row.email) for row in rows())
