"""What is left of objects as long as nobody collects garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """While this lasts no cycle is found, and what was there before does not count."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def count_of(kind: type) -> int:
    """How many there are of a class, whoever refers to them."""
    return sum(isinstance(each, kind) for each in gc.get_objects())
