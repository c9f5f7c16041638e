"""What a customer is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.crm.terms import LAST, MOST_TERMS, MOST_WORDS, TERM_LENGTH, folded, prefixes_of, terms_of

TERMS = terms_of(("Änne-Marie O'Brien", "上海电力公司"), "anne@acme.example", ("+442079460018", "1001"))


@pytest.mark.parametrize(
    "query",
    [
        "anne",
        "ÄNNE",
        "Marie",
        "brien",
        "上海",
        "电力",
        "anne@ac",
        "acme",
        "+44 20 7946",
        "0044207946",
        "020 7946",
        "1001",
    ],
)
def test_a_customer_is_found_by_the_beginning_of(query: str) -> None:
    prefixes = prefixes_of(query)
    assert prefixes
    assert all(any(prefix <= term < prefix + LAST for term in TERMS) for prefix in prefixes)


def test_all_words_of_a_query_count_and_the_longest_leads() -> None:
    assert prefixes_of("O'Brien  änne") == ("brien", "anne", "o")


@pytest.mark.parametrize("query", ["", "   ", "!?", "-"])
def test_a_query_without_words_fits_nothing(query: str) -> None:
    assert prefixes_of(query) == ()


@given(st.text(max_size=300), st.text(max_size=80))
def test_terms_are_few_short_and_in_one_form(text: str, email: str) -> None:
    terms = terms_of((text,), email, ())
    assert len(terms) <= MOST_TERMS
    assert len(set(terms)) == len(terms)
    assert all(0 < len(term) <= TERM_LENGTH for term in terms)
    assert len(prefixes_of(text)) <= MOST_WORDS
    assert folded(folded(text)) == folded(folded(folded(text)))
