"""How progress is judged: by the window, for what is left, and for what nobody wants."""

import pytest

from gateway.wire.limits import Limits, Progress, Surplus


@pytest.mark.parametrize(
    ("left", "verdicts"),
    [
        ([900, 800, 700], [True, True, True]),
        ([901], [False]),
        ([0], [True]),
        ([500, 499], [True, False]),
        ([1000], [False]),
        ([1200, 1100, 1001], [True, True, False]),
    ],
    ids=["just enough", "too little", "all", "a burst buys nothing", "nothing", "more to do"],
)
def test_progress(left: list[int], verdicts: list[bool]) -> None:
    """In each window the rate counts anew; where more was added, nobody can say."""
    progress = Progress(window=10, rate=10)
    progress.start(1000)
    assert [progress.is_enough(now) for now in left] == verdicts


def test_surplus() -> None:
    """It is discarded as long as enough comes in each window, until the time for all is over."""
    surplus = Surplus(Limits(linger=2, linger_most=5, rate=10), now=100)
    surplus.add(12)
    surplus.add(8)
    assert surplus.goes_on(now=102)
    surplus.add(19)
    assert not surplus.goes_on(now=104)
    surplus.add(20)
    assert not surplus.goes_on(now=106)
