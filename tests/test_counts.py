"""What one generation adds to the counters."""

from gateway.generation import Usage
from gateway.ledger.store import (
    Counts,
)
from tests.generations import generation, refusal


def test_counts_of_a_generation() -> None:
    """One generation adds one request; a client that left is no error, each flag counts."""
    left = generation(1, outcome="cancelled", status=499, usage=Usage(1, 2, 3, 4, 5), cost=6)
    assert Counts.of(left) == Counts(
        requests=1,
        prompt_tokens=1,
        completion_tokens=2,
        reasoning_tokens=3,
        cached_tokens=4,
        cost=6,
        latency_ms=20,
    )
    refused = Counts.of(refusal(2))
    assert (refused.errors, refused.flags) == (1, 1)
