"""What one generation adds to each counter."""

from collections.abc import Sequence
from typing import Final

from gateway.generation import ERRORS, Generation

Sums = tuple[int, ...]
"""A number for each of `counts.COUNTERS`, in their order."""

LARGEST: Final = 10**13
"""The most one generation adds to one counter, so that no provider's nonsense (a usage of 10**30
tokens) can overflow a 64-bit sum: ten thousand dollars, or ten trillion tokens."""


def increments_of(one: Generation) -> Sums:
    """The increment of each counter, bounded by `LARGEST`."""
    usage = one.usage
    return (
        1,
        int(one.outcome in ERRORS),
        len(one.flags),
        _bounded(usage.prompt_tokens),
        _bounded(usage.completion_tokens),
        _bounded(usage.reasoning_tokens),
        _bounded(usage.cached_tokens),
        _bounded(one.cost),
        _bounded(one.cache_discount),
        _bounded(one.latency_ms),
        int(one.moved_from is not None),
        _bounded(one.move_cost),
    )


def sum_of(several: Sequence[Sums]) -> Sums:
    """The sum of at least one."""
    return several[0] if len(several) == 1 else tuple(map(sum, zip(*several, strict=True)))


def _bounded(value: int) -> int:
    if -LARGEST <= value <= LARGEST:
        return value
    return LARGEST if value > 0 else -LARGEST
