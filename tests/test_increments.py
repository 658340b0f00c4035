"""What one generation adds to each counter, and the sum of some."""

import msgspec

from gateway.generation import Usage
from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.increments import LARGEST, increments_of, sum_of
from tests.parts.generations import generation, refusal


def test_in_the_order_of_the_counters() -> None:
    """The numbers stand where `COUNTERS` has their names."""
    one = generation(
        1,
        usage=Usage(2, 3, 4, 5),
        cost=6,
        cache_discount=7,
        latency_ms=8,
        moved_from="p",
        move_cost=9,
    )
    assert dict(zip(COUNTERS, increments_of(one), strict=True)) == {
        "requests": 1,
        "errors": 0,
        "flags": 0,
        "prompt_tokens": 2,
        "completion_tokens": 3,
        "reasoning_tokens": 4,
        "cached_tokens": 5,
        "cost": 6,
        "cache_discount": 7,
        "latency_ms": 8,
        "moves": 1,
        "move_cost": 9,
    }
    assert increments_of(refusal(2)) == msgspec.structs.astuple(Counts.of(refusal(2)))


def test_bounded() -> None:
    """No provider's nonsense can overflow a 64-bit sum, in either direction."""
    one = generation(1, usage=Usage(prompt_tokens=10**30), cache_discount=-(10**30))
    adds = dict(zip(COUNTERS, increments_of(one), strict=True))
    assert (adds["prompt_tokens"], adds["cache_discount"]) == (LARGEST, -LARGEST)


def test_total() -> None:
    """Sums are made place by place, and one alone is its own."""
    assert sum_of([(1, 2), (10, 20), (100, 200)]) == (111, 222)
    assert sum_of([(1, 2)]) == (1, 2)
