"""The expression language: what it means, and that it refuses everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.expressions import ExpressionError, Names, Value, parse, parse_template

NAMES: Names = {
    "caller": "+39061234567",
    "called": "800",
    "customer": {"tier": "gold", "age": 41, "vip": True},
    "vars": {"n": 2, "pin": "0042"},
    "time": {"hour": 9, "weekday": "mon"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 - 4", -1),
        ("\"a\" == 'a'", True),
        ("customer.tier", "gold"),
        ("customer.nothing", None),
        ("customer.nothing == null", True),
        ("caller.deeper.still", None),
        ("vars.n >= 2 and time.hour < 18", True),
        ("vars.n > 2 or not customer.vip", False),
        ("not vars.n == 3", True),
        ('time.weekday in ["sat", "sun"]', False),
        ('time.weekday in ["mon", "sun"]', True),
        ('"234" in caller', True),
        ('starts_with(caller, "+39")', True),
        ("starts_with(vars.n, called)", False),
        ("length(vars.pin) == 4", True),
        ("length(customer)", 0),
        ("vars.pin == 42", False),
        ("vars.pin + 0 == 42", True),
        ('vars.pin < "100"', True),
        ("(1 == 1 or 1 == 2) and false", False),
        ("1 == 1 or 1 == 2 and false", True),
        ("customer.age in [40, 40 + 1]", True),
    ],
)
def test_an_expression_has_a_value(text: str, value: Value) -> None:
    assert parse(text).evaluate(NAMES) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the end"),
        ("1 +", "the end"),
        ("1 2", "unexpected '2'"),
        ("(1", r"expected '\)'"),
        ("[1", "expected ','"),
        ("colour == 1", "unknown name 'colour'"),
        ("caller.", "expected a name"),
        ("starts_with(caller)", "takes 2 values, not 1"),
        ("open('x')", "unknown name 'open'"),
        ("__import__('os')", "unknown name"),
        ("caller; called", "cannot read ';"),
        ("and", "expected a value, found 'and'"),
        ("not " * 30 + "true", "too deep"),
        ("(" * 30 + "1" + ")" * 30, "too deep"),
        ('"open', "cannot read '\"open"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        parse(text)


@pytest.mark.parametrize("text", ["customer.tier < 3", "customer.nothing + 1", "true < 2", "[1] - 1"])
def test_what_cannot_be_compared_is_an_error_at_run_time(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text).evaluate(NAMES)


def test_a_template_splices_values_into_text() -> None:
    assert parse_template("10${vars.n}-${customer.nothing}${customer.vip}").text(NAMES) == "102-true"
    assert parse_template("plain").text(NAMES) == "plain"


def test_a_template_that_is_one_splice_keeps_its_type() -> None:
    assert parse_template("${vars.n + 1}").value(NAMES) == 3
    assert parse_template(" ${vars.n}").value(NAMES) == " 2"


@pytest.mark.parametrize("text", ["${vars.n", "${}", "${1 +}"])
def test_a_broken_template_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_template(text)


def test_a_record_has_no_text() -> None:
    with pytest.raises(ExpressionError):
        parse_template("${customer}").text(NAMES)


@given(st.text(alphabet="()[]<>=!+-.,\"' abcaller12and", max_size=40))
def test_any_text_parses_or_is_refused_and_then_evaluates_or_fails_by_name(text: str) -> None:
    try:
        parse(text).evaluate(NAMES)
    except ExpressionError:
        return
