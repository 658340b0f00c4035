"""Times cut into whole days and what sticks out."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.api.timespan import Cut, Timespan, cut
from gateway.calendar import DAY

NOW = 100 * DAY + DAY // 2


def test_ends_stick_out() -> None:
    """A time that begins and ends within days has its whole days, and an end on each side."""
    found = cut(Timespan(10 * DAY + 5, 12 * DAY + 7), DAY, NOW, 0)
    ends = (Timespan(10 * DAY + 5, 11 * DAY), Timespan(12 * DAY, 12 * DAY + 7))
    assert found == Cut((11, 11), ends)


def test_within_a_day() -> None:
    """A time within one day has no whole one."""
    span = Timespan(10 * DAY + 5, 10 * DAY + 7)
    assert cut(span, DAY, NOW, 0) == Cut(None, (span,))


def test_what_is_to_come() -> None:
    """A time that reaches beyond now has the whole of today."""
    assert cut(Timespan(99 * DAY, NOW + 1), DAY, NOW, 0) == Cut((99, 100), ())


def test_no_single_requests_any_more() -> None:
    """Of a day whose single requests are forgotten only the whole can be told."""
    found = cut(Timespan(10 * DAY + 5, 12 * DAY), DAY, NOW, 20 * DAY)
    assert found == Cut((10, 11), ())


def test_part_of_a_day_without_single_requests() -> None:
    """Of a time within such a day the whole day is told; of none, or one turned around, nothing."""
    assert cut(Timespan(10 * DAY + 5, 10 * DAY + 7), DAY, NOW, 20 * DAY) == Cut((10, 10), ())
    for until in (10 * DAY + 5, 10 * DAY + 2):
        assert cut(Timespan(10 * DAY + 5, until), DAY, NOW, 20 * DAY) == Cut(None, ())


@given(st.integers(0, 100 * DAY), st.integers(0, 100 * DAY))
def test_nothing_is_lost_or_double(since: int, until: int) -> None:
    """The pieces of a time, one after the other, are that time."""
    found = cut(Timespan(since, until), DAY, NOW, 0)
    days = [Timespan(found.units[0] * DAY, (found.units[1] + 1) * DAY)] if found.units else []
    pieces = sorted([*days, *found.ends], key=lambda piece: piece.since)
    edges = [edge for piece in pieces for edge in (piece.since, piece.until)]
    assert edges[1:-1:2] == edges[2::2]
    assert (edges[0], edges[-1]) == (since, until) if edges else since >= until
