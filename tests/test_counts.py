"""Counters: what one generation adds to them, and how they are added up and read."""

from gateway.generation import Usage
from gateway.ledger.counts import Counts, GrowingCounts, difference, total
from tests.parts.generations import generation, refusal


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


def test_counts_are_added_and_taken_away_one_by_one() -> None:
    """Each counter is summed by itself, however it comes to be; of nothing all are zero."""
    one = Counts(requests=2, cost=3_000, prompt_tokens=1, completion_tokens=2, latency_ms=9)
    growing = GrowingCounts()
    for each in (one, one):
        growing.add(each)
    assert growing.counts == total([one, one])
    assert difference(growing.counts, one) == one
    assert total([]) == GrowingCounts().counts == Counts()


def test_proportions_of_nothing_are_nothing() -> None:
    """What is per token or per request is zero, or not known, without any."""
    one = Counts(requests=2, cost=3_000, prompt_tokens=1, completion_tokens=2, latency_ms=9)
    assert (one.tokens, one.cost_per_million, one.mean_latency) == (3, 1_000_000_000, 4.5)
    none = Counts()
    assert (none.tokens, none.cost_per_million, none.mean_latency) == (0, 0, None)


def test_refusals_have_no_latency() -> None:
    """Nobody was waited for, so there is nothing to tell the mean of."""
    assert Counts(requests=2, errors=2, flags=2).mean_latency is None
