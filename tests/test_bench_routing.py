"""The routing benchmark's figures, small."""

import pytest

from bench.routing.__main__ import Figure, page
from bench.routing.figures import at_home, lookup, moved


def test_who_leaves_takes_their_own_along() -> None:
    """Exactly the users of the one that left, about half, and a third for one that joins two."""
    found = moved(2)
    assert found.left == found.lost == pytest.approx(1 / 2, abs=0.02)
    assert found.joined == pytest.approx(1 / 3, abs=0.02)
    assert found.joined <= found.most


def test_a_choice_takes_time() -> None:
    """More than nothing, and the slowest more than most."""
    found = lookup(3, 1, 1000)
    assert 0 < found.median <= found.p99


def test_few_calls_are_all_at_home() -> None:
    """Below the floor nobody is ever sent on."""
    assert at_home(10, calls=500) == 1


def test_what_does_not_hold_is_marked() -> None:
    """The page has a row a figure, with what it must be and what it is."""
    text = page([Figure("share", "≤ 1.05", "1.06", holds=False).row()])
    assert "| share | ≤ 1.05 | 1.06 | **no** |" in text
    assert "Measured " in text
