"""Every row of a CSV is either usable or reported with its line and reason."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.crm.fields import Flaw
from callcenter.crm.importing import BadRow, CustomerRow, read_rows
from callcenter.crm.model import Number
from callcenter.kernel.errors import InvalidInput

HEAD = "name,company,email,language,numbers,external_id\n"


def read(text: str) -> list[CustomerRow | BadRow]:
    return list(read_rows(text.splitlines(keepends=True), region="AT"))


def test_row_is_read_with_its_numbers_in_one_form() -> None:
    rows = read(HEAD + "Ann Berger,ACME,ann@acme.example,de-AT,01 234567 8; +43 1 2345678;0664/1234567,X1\n")
    assert rows == [
        CustomerRow(
            2,
            "Ann Berger",
            "ACME",
            "ann@acme.example",
            "de-AT",
            "",
            "X1",
            (Number("+4312345678", "01 234567 8"), Number("+436641234567", "0664/1234567")),
        )
    ]


def test_an_owner_is_an_agent_of_the_site_or_the_row_is_not_taken() -> None:
    rows = read_rows(["name,owner\n", "Ann,anna\n", "Bob,zoe\n", "Chen,\n"], region="AT", agents={"anna"})
    ann, bob, chen = rows
    assert isinstance(ann, CustomerRow)
    assert isinstance(bob, BadRow)
    assert isinstance(chen, CustomerRow)
    assert (ann.owner, chen.owner) == ("anna", "")
    assert bob.flaw == Flaw("no_agent", "owner 'zoe' is not the id of an agent", {"field": "owner", "value": "zoe"})


def test_columns_may_come_in_any_order_and_number() -> None:
    assert read("numbers,name\n,Ann\n") == [CustomerRow(2, "Ann", "", "", "", "", None, ())]


@pytest.mark.parametrize("head", ["", "company\n", "name,shoe size\n", "name,name\n"])
def test_file_without_the_right_columns_is_refused_as_a_whole(head: str) -> None:
    with pytest.raises(InvalidInput, match=r"line 1: .*columns are name, company"):
        read(head + "x\n")


@pytest.mark.parametrize(
    ("row", "code", "text", "data"),
    [
        (",ACME,,,,", "no_name", "has no name", {"field": "name"}),
        (
            "Ann,,,,not a number,",
            "no_number",
            "'not a number' is not a telephone number",
            {"field": "numbers", "value": "not a number"},
        ),
        ("Ann,,nowhere,,,", "no_at", "email has no @", {"field": "email"}),
        ("Ann,,,klingon!,,", "no_language", "language is not a tag such as en or zh-CN", {"field": "language"}),
        ("Ann,,,", "field_count", "has 4 fields, the first line has 6", {"count": 4, "columns": 6}),
        ("Ann,,,,,,", "field_count", "has 7 fields, the first line has 6", {"count": 7, "columns": 6}),
        (f"{'x' * 201},,,,,", "too_long", "name is longer than 200 characters", {"field": "name", "limit": 200}),
        ("Ann\x00,,,,,", "no_text", "name has control characters or is not UTF-8", {"field": "name"}),
        ("Ann\udcff,,,,,", "no_text", "name has control characters or is not UTF-8", {"field": "name"}),
        ('"Ann"x,,,,,', "no_csv", "',' expected after '\"'", {}),
    ],
)
def test_bad_row_is_reported_with_its_reason_and_the_next_one_is_read(
    row: str, code: str, text: str, data: dict[str, str | int]
) -> None:
    bad, good = read(HEAD + row + "\nBob,,,,,\n")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.flaw) == (2, Flaw(code, text, data))
    assert isinstance(good, CustomerRow)
    assert (good.line, good.name) == (3, "Bob")


def test_row_that_repeats_an_earlier_customer_names_its_line() -> None:
    rows = read(HEAD + "Ann,,,,,X1\nAnn B.,,,,,X1\nBob,,,,+431234567,\nBob,,,,+431234567;+431234568,\n")
    assert [(row.line, row.flaw.text, row.duplicate_of) for row in rows if isinstance(row, BadRow)] == [
        (3, "is the same customer as line 2", 2),
        (5, "is the same customer as line 4", 4),
    ]


def test_line_is_that_where_the_row_begins_when_a_field_has_several() -> None:
    rows = read('name,notes\nAnn,"one\ntwo"\n,x\n')
    assert [row.line for row in rows] == [2, 4]


def test_empty_lines_are_no_rows() -> None:
    assert [row.line for row in read("name\n\nAnn\n\n")] == [3]


@given(st.lists(st.lists(st.text(alphabet='a,;"+4\n\x00é ', max_size=12), min_size=1, max_size=4), max_size=6))
def test_reading_never_raises_and_lines_only_grow(rows: Sequence[Sequence[str]]) -> None:
    text = "name,numbers\n" + "".join(",".join(fields) + "\n" for fields in rows)
    lines = [row.line for row in read(text)]
    assert lines == sorted(set(lines))
