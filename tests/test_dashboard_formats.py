"""How things are written on the pages."""

import pytest

from gateway.dashboard import formats


@pytest.mark.parametrize(
    ("nano", "text", "fine", "exact"),
    [
        (0, "$0.0000", "$0.000000", "$0.000000000"),
        (1, "$0.0000", "$0.000000", "$0.000000001"),
        (1_234_567_890, "$1.2346", "$1.234568", "$1.234567890"),
        (-1_500_000_000, "\u2212$1.5000", "\u2212$1.500000", "\u2212$1.500000000"),
        (12_345_678_000_000_000, "$12,345,678.0000", "$12,345,678.000000", "$12,345,678.000000000"),
    ],
)
def test_money(nano: int, text: str, fine: str, exact: str) -> None:
    """Nano-dollars as USD, the sign in front, to the digits that the place needs."""
    assert formats.money(nano) == text
    assert formats.fine_money(nano) == fine
    assert formats.exact_money(nano) == exact


def test_short_money() -> None:
    """In a bar's label: every digit that counts and no other."""
    values = (0, 50_000, 600_000_000, 2_000_000_000_000)
    assert [formats.short_money(value) for value in values] == ["$0", "$0.00005", "$0.6", "$2,000"]


@pytest.mark.parametrize(
    ("step", "ticks"),
    [
        (50_000, ["$0.00000", "$0.00005", "$0.00010"]),
        (50_000_000, ["$0.00", "$0.05", "$0.10"]),
        (500_000_000, ["$0.00", "$0.50", "$1.00"]),
        (2_000_000_000_000, ["$0", "$2,000", "$4,000"]),
    ],
)
def test_money_tick(step: int, ticks: list[str]) -> None:
    """Beside a scale all have the same digits: those that a step needs, and cents at least."""
    assert [formats.money_tick(step * number, step) for number in range(3)] == ticks


def test_count() -> None:
    """Whole numbers have separators, means one decimal."""
    assert (formats.count(1_234_567), formats.count(1234.56)) == ("1,234,567", "1,234.6")


def test_share_and_change() -> None:
    """Of nothing there is no share and from nothing no change, only a dash."""
    assert (formats.share(1, 3), formats.share(1, 0)) == ("33.3%", "\u2013")
    assert formats.change(3, 2) == "+50.0%"
    assert formats.change(5000, 2) == "+249,900.0%"
    assert formats.change(1, 2) == "\u221250.0%"
    assert formats.change(10_001, 10_000) == formats.change(9_999, 10_000) == "0.0%"
    assert formats.change(1, 0) == formats.change(2, -1) == "\u2013"


def test_duration() -> None:
    """Milliseconds while they are few."""
    assert [formats.duration(value) for value in (None, 0, 9999.4, 65_432)] == [
        *("\u2013", "0 ms", "9,999 ms", "65.4 s"),
    ]


def test_lasting() -> None:
    """Seconds while they are few, then minutes."""
    assert [formats.lasting(value) for value in (0.25, 30, 120, 3600)] == [
        *("0.25 s", "30 s", "2 min", "60 min"),
    ]


def test_moments() -> None:
    """UTC, to the second; a form's field wants minutes."""
    at = 1_700_000_000_123_456
    assert formats.moment(at) == "Nov 14, 22:13:20"
    assert formats.form_moment(at) == "2023-11-14T22:13"
    assert formats.form_moment(None) == ""


def test_control_characters_are_seen() -> None:
    """A name can neither hide characters nor turn the text after it around."""
    assert formats.shown("a\0b\x7fc\u202ed\u2066") == "a\u2400b\u2421c\ufffdd\ufffd"
    assert formats.shown("Zoë Ω") == "Zoë Ω"


def test_invisible_characters_are_seen() -> None:
    """Of two names that look alike one shows why it is another, and none is an empty link."""
    assert formats.shown("an\u200bna\u00ad\ufeff") == "an\ufffdna\ufffd\ufffd"
    assert formats.shown("\u200d\ufe0f") == "\ufffd\ufffd"
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert (formats.shown(family), formats.shown("")) == (family, "")


@pytest.mark.parametrize(
    ("month", "name"), [(0, "January 1970"), (682, "November 2026"), (96_347, "December 9998")]
)
def test_month_name(month: int, name: str) -> None:
    """As people write it."""
    assert formats.month_name(month) == name
