"""The garbage collector of processes that serve."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway.processes.garbage import collect_seldom


@pytest.fixture
def restored() -> Iterator[None]:
    """The collector as it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Cycle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("restored")
def test_what_is_there_is_left_alone() -> None:
    """What there is at the time is not looked at again; cycles made later are still found."""
    collect_seldom()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 700
    gone = weakref.ref(Cycle())
    assert gone() is not None
    made = [[] for _ in range(gc.get_threshold()[0] + 1)]  # type: ignore[var-annotated]
    assert len(made) > 0
    assert gone() is None
