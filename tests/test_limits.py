"""How progress is judged: by the window, for what is left."""

import pytest

from gateway.wire.limits import Progress


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
