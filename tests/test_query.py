"""Query parameters: what is read, and what is refused by name."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.query import (
    read_bool,
    read_choice,
    read_day,
    read_int,
    read_moment,
    read_query,
)
from gateway.calendar import day_text
from gateway.errors import BadRequest


def test_values_are_decoded_and_trimmed() -> None:
    """Percent and plus are undone, blanks around a value go, empty values are absent."""
    query = "user=a%2Bb+c&model=%20m%20&since=&until"
    known = ("user", "model", "since", "until")
    assert read_query(query, known) == {"user": "a+b c", "model": "m"}
    assert read_query("", known) == {}


@pytest.mark.parametrize(
    ("query", "name"), [("usr=a", "usr"), ("user=a&USER=b", "USER"), ("x", "x")]
)
def test_unknown_parameter_is_refused_by_name(query: str, name: str) -> None:
    """A misspelt filter would answer another question than was asked."""
    with pytest.raises(BadRequest, match="expected user, model") as caught:
        read_query(query, ("user", "model"))
    assert caught.value.param == name


def test_repeated_parameter_is_refused() -> None:
    """Which of two values counts is nobody's to guess, not even for an empty one."""
    for query in ("user=a&user=b", "user=&user=b", "user=a&user=a"):
        with pytest.raises(BadRequest, match="given twice"):
            read_query(query, ("user",))


def test_choice() -> None:
    """One of the known words, the default when absent; any other is refused by name."""
    known = ("cost", "requests")
    assert read_choice({"sort": "requests"}, "sort", known, "cost") == "requests"
    assert read_choice({}, "sort", known, "cost") == "cost"
    with pytest.raises(BadRequest, match="`sort` must be one of cost, requests") as caught:
        read_choice({"sort": "COST"}, "sort", known, "cost")
    assert caught.value.param == "sort"


def test_bool() -> None:
    """`true` and `false`, in lower case, or nothing."""
    assert read_bool({"b": "true"}, "b") is True
    assert read_bool({"b": "false"}, "b") is False
    assert read_bool({}, "b") is None


def test_int() -> None:
    """A whole number from 1 to the maximum; absent is the default."""
    assert read_int({}, "n", 50, 1000) == 50
    assert [read_int({"n": text}, "n", 50, 1000) for text in ("1", "007", "1000")] == [1, 7, 1000]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1769860800", 1769860800),
        ("2026-01-31T12:00:00Z", 1769860800),
        ("2026-01-31T12:00:00", 1769860800),
        ("2026-01-31T14:00:00+02:00", 1769860800),
        ("2026-01-31T14:00:00 02:00", 1769860800),  # a plus that was not escaped
        ("2026-01-31T07:00:00.250-05:00", 1769860800.25),
        ("2026-01-31", 1769817600),
        ("1969-12-31T23:59:59Z", -1),
    ],
)
def test_moment(text: str, seconds: float) -> None:
    """Unix seconds or ISO 8601, UTC where no offset is given, in microseconds."""
    assert read_moment({"t": text}, "t") == seconds * 1_000_000


def test_moment_of_a_microsecond_is_exact() -> None:
    """No digit is lost on the way through a float."""
    assert read_moment({"t": "2026-01-31T12:00:00.123457Z"}, "t") == 1769860800123457


@given(st.integers(min_value=-700_000, max_value=2_900_000))
def test_day_is_read_as_it_is_written(day: int) -> None:
    """`day_text` and `read_day` undo each other over all of the calendar."""
    assert read_day({"d": day_text(day)}, "d") == day


def test_first_days() -> None:
    """Days count from the epoch."""
    assert day_text(0) == "1970-01-01"
    assert read_day({"d": "1970-01-02"}, "d") == 1
    assert read_day({}, "d") is None
    assert read_moment({}, "d") is None


_OUTSIDE = (("9999-12-31T23", "-01:00"), ("0001-01-01T00", "+01:00"))
"""Hours that are in no year of four digits once they are UTC."""


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *((read_bool, text) for text in ("True", "1", "yes", "TRUE")),
        *((read_day, text) for text in ("2026-02-30", "2026-13-01", "31.01.2026", "today")),
        *((read_day, text) for text in ("2026-01-31T00:00:00Z", "20260131", "1769860800")),
        *((read_moment, text) for text in ("yesterday", "2026-13-01", "1e9", "-5", "1.5")),
        *((read_moment, text) for text in ("٣", "9" * 5000, "2026-01-31T25:00:00Z")),
        *((read_moment, f"{day}:00:00{offset}") for day, offset in _OUTSIDE),
    ],
)
def test_other_forms_are_refused_by_name(
    read: Callable[[dict[str, str], str], object], value: str
) -> None:
    """The error names the parameter and says what it must look like."""
    with pytest.raises(BadRequest, match="`p` must be") as caught:
        read({"p": value}, "p")
    assert caught.value.param == "p"


@pytest.mark.parametrize(
    "value", ["0", "-1", "1001", "1.0", "1e3", "+5", " 5", "٣", "²", "9" * 5000]
)
def test_other_numbers_are_refused_by_name(value: str) -> None:
    """Out of range or of another form, however many digits it has."""
    with pytest.raises(BadRequest, match="from 1 to 1000") as caught:
        read_int({"limit": value}, "limit", 50, 1000)
    assert caught.value.param == "limit"
