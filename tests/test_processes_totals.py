"""The counts of workers that come and go."""

from gateway.config import Metrics, Provider
from gateway.metrics.counters import Counters
from gateway.metrics.snapshot import ProviderState, Snapshot, merged
from gateway.processes.totals import Totals
from tests.parts.generations import generation

STATE = ProviderState(name="a", in_flight=2, max_in_flight=8, is_out=True)


def worker(requests: int) -> Snapshot:
    """One that has counted so many requests."""
    counters = Counters(Metrics(), (Provider(name="a", base_url="https://a.example"),))
    for number in range(requests):
        counters.add(generation(number))
    calls = counters.snapshot().calls
    return Snapshot(calls=calls, ejections={"a": 1}, providers=[STATE])


def requests(counts: Snapshot) -> int:
    return sum(each.requests for _, each in counts.calls)


def test_one_that_leaves_stays_counted() -> None:
    """Its requests and ejections stay, its calls in flight and itself do not."""
    totals = Totals()
    totals.update("first", worker(3))
    totals.update("second", worker(4))
    both = merged(totals.counts(silent=()))
    assert (requests(both), both.processes, both.providers[0].in_flight) == (7, 2, 4)
    totals.retire("first")
    left = merged(totals.counts(silent=()))
    assert (requests(left), left.ejections, left.processes) == (7, {"a": 2}, 1)
    assert left.providers == (STATE,)


def test_one_that_is_silent_counts_as_it_last_did() -> None:
    """What it said before stands until it says more, but for what was true only then."""
    totals = Totals()
    totals.update("first", worker(3))
    totals.update("second", worker(4))
    counts = merged(totals.counts(silent={"first"}))
    assert (requests(counts), counts.processes, counts.providers) == (7, 1, (STATE,))
    totals.update("first", worker(5))
    assert requests(merged(totals.counts(silent=()))) == 9


def test_nobody_speaks() -> None:
    """Of one that never spoke nothing is known, and when all are silent there is no answer."""
    totals = Totals()
    totals.retire("first")
    assert totals.counts(silent=()) == []
    totals.update("second", worker(1))
    assert totals.counts(silent={"second"}) == []
