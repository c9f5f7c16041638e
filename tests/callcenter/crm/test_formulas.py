"""No cell of an export runs in a spreadsheet, and none comes back changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.crm.formulas import quoted, unquoted


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://x","y")', "+39061234567", "-1+1", "@SUM(1)", "\t=1", "\r=1", "＝1"]
)
def test_a_cell_that_would_run_gets_a_quote(cell: str) -> None:
    assert quoted(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ann", "O'Brien", "'tis", "1+1", "", "'"])
def test_another_cell_stays_as_it_is(cell: str) -> None:
    assert quoted(cell) == unquoted(cell) == cell


@given(st.text(alphabet="'=+-@a 1\t", max_size=8))
def test_reading_undoes_writing(cell: str) -> None:
    assert unquoted(quoted(cell)) == cell
    assert quoted(cell)[:1] not in tuple("=+-@\t")
