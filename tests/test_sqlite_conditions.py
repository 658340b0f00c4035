"""Conditions in SQL mean what they mean everywhere else."""

import sqlite3
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.conditions import COMPARE, Comparison, Operator
from gateway.ledger.sqlite.conditions import condition_sql

TEXTS = st.text("aAzZ%_*?[]^!-\\.\n'\"\u00e9\u00c9\U0001f600", max_size=6)
NUMBERS = st.integers(-(2**62), 2**62)
EXACT = ("=", "<>", "<", "<=", ">", ">=")


def asked(column: str, value: object, one: Comparison) -> bool:
    """What SQLite says of a row that has nothing else."""
    condition = condition_sql(one)
    db = sqlite3.connect(":memory:")
    query = f"SELECT {condition.text} FROM (SELECT ? AS {column})"
    (said,) = db.execute(query, (*condition.values, value)).fetchone()
    db.close()
    return bool(said)


@pytest.mark.parametrize("name", get_args(Operator))
@given(value=TEXTS, wanted=TEXTS)
def test_text(name: Operator, value: str, wanted: str) -> None:
    """Of ids: wildcards, brackets, quotes, letters with and without case."""
    assert asked("user", value, Comparison("user", name, wanted)) == COMPARE[name](value, wanted)


@pytest.mark.parametrize("name", ["like", "ilike"])
def test_pattern_with_a_nul(name: Operator) -> None:
    """It does not end there: no id has a NUL, so none matches."""
    assert not asked("user", "anna", Comparison("user", name, "%\0%"))
    assert not asked("user", "anna", Comparison("user", name, "anna\0"))


@pytest.mark.parametrize("name", EXACT)
@given(value=NUMBERS, wanted=NUMBERS | st.floats(allow_nan=False))
def test_numbers(name: Operator, value: int, wanted: float) -> None:
    """Whole numbers are compared with fractions without being rounded."""
    one = Comparison("last_seen", name, wanted)
    assert asked("last_seen", value, one) == COMPARE[name](value, wanted)


@pytest.mark.parametrize("name", EXACT)
@given(cost=st.integers(0, 10**15), wanted=st.integers(0, 10**15))
def test_money(name: Operator, cost: int, wanted: int) -> None:
    """Nano-dollars become the same dollars, to the last bit."""
    usd = wanted / 1_000_000_000
    assert asked("cost", cost, Comparison("usd", name, usd)) == COMPARE[name](cost / 1e9, usd)
