"""gateway.units: durations, sizes and counts as people write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.units import Duration, Size, counted

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("500ms", 0.5), ("1m30s", 90), ("12h", 43200), ("30d", 2592000), ("1.5s", 1.5)],
)
def test_duration_is_seconds(text: str, seconds: float) -> None:
    """A duration is read as seconds."""
    assert Duration.parse(text) == seconds


@given(st.lists(st.tuples(st.integers(0, 10**3), st.sampled_from(sorted(SECONDS))), min_size=1))
def test_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    """However many parts a duration has, they add up."""
    text = "".join(f"{number}{unit}" for number, unit in parts)
    expected = sum(number * SECONDS[unit] for number, unit in parts)
    assert Duration.parse(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "-5s", "5 s", "5s ", "5sec", "1e3s", "٣s", "inf", "9" * 400 + "d", 5, None],
)
def test_duration_refuses_what_is_not_one(text: object) -> None:
    """Anything else is refused with examples of what is right."""
    with pytest.raises(ValueError, match="Expected a duration such as"):
        Duration.parse(text)


@given(st.integers(1, 1024), st.sampled_from(sorted(BYTES)))
def test_size_is_bytes(number: int, unit: str) -> None:
    """A size is read as bytes, decimal and binary units apart."""
    assert Size.parse(f"{number}{unit}") == number * BYTES[unit]


@given(st.integers(1, 2**40))
def test_size_may_be_a_plain_number(number: int) -> None:
    """A number without a unit is bytes."""
    assert Size.parse(number) == number


def test_size_may_have_a_fraction() -> None:
    """Half of a unit is that many bytes."""
    assert Size.parse("1.5KiB") == 1536


@pytest.mark.parametrize(
    "text",
    ["", "5", "5 MiB", "5mib", "-5B", "0B", "0.5B", "9" * 400 + "GiB", 0, -1, True, 1.5, None],
)
def test_size_refuses_what_is_not_one(text: object) -> None:
    """Anything else, nothing included, is refused with examples of what is right."""
    with pytest.raises(ValueError, match="Expected a size such as"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("unit", "most", "more"),
    [
        (Duration, "36500d", "36500d1ms"),
        (Duration, "36500d", "9" * 12 + "d"),
        (Size, "1024GiB", 2**40 + 1),
        (Size, "1024GiB", "9" * 12 + "GiB"),
    ],
)
def test_units_have_an_end(unit: type[Duration | Size], most: str, more: object) -> None:
    """What is more than anybody waits for, keeps or sends is refused, and the most is named."""
    assert unit.parse(most) > 0
    with pytest.raises(ValueError, match=f"of at most {most}$"):
        unit.parse(more)


@pytest.mark.heavy
@given(st.text(max_size=20) | st.from_regex(r"([0-9]+(\.[0-9]+)?[a-zA-Z]{1,3})+", fullmatch=True))
def test_units_refuse_with_a_value_error_only(text: str) -> None:
    """No text makes a unit fail in another way, or be negative."""
    for unit in (Duration, Size):
        with suppress(ValueError):
            assert 0 <= unit.parse(text) < float("inf")


def test_counted() -> None:
    """One is not many."""
    found = [counted(number, "day") for number in (0, 1, 1200)]
    assert found == ["0 days", "1 day", "1,200 days"]
