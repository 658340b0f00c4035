"""The counts of several processes as those of one."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Ejection, Metrics, Provider
from gateway.generation import Generation
from gateway.metrics.counters import Counters
from gateway.metrics.snapshot import ProviderState, Snapshot, merged, provider_states
from gateway.routing.provider import Provider as RoutingProvider
from tests.parts.generations import generation, refusal

PROVIDERS = (Provider(name="a", base_url="https://a.example", models=("small", "large")),)

some_generations = st.builds(
    generation,
    st.integers(1, 9),
    model=st.sampled_from(["small", "large", "made-up"]),
    latency_ms=st.integers(0, 200_000),
    first_byte_ms=st.none() | st.integers(0, 20_000),
    cache_discount=st.integers(-9, 9),
    user=st.sampled_from(["u1", "u2", None]),
) | st.builds(refusal, st.integers(1, 9))


def counted(generations: list[Generation]) -> Snapshot:
    counters = Counters(Metrics(users=9), PROVIDERS)
    for each in generations:
        counters.add(each)
    return counters.snapshot()


@given(st.lists(some_generations), st.lists(some_generations))
def test_merged_is_as_if_counted_by_one(here: list[Generation], there: list[Generation]) -> None:
    """It makes no difference which process counted what."""
    both, one = merged([counted(here), counted(there)]), counted([*here, *there])
    assert dict(both.calls) == dict(one.calls)
    assert dict(both.users) == dict(one.users)
    assert (both.attempts, both.flags) == (one.attempts, one.flags)
    assert (both.processes, one.processes) == (2, 1)


def test_of_nobody_is_nothing() -> None:
    """No snapshots are the counts of no process."""
    assert merged([]) == Snapshot(processes=0)


def test_live_state_of_several_processes() -> None:
    """Calls in flight add up, and a provider is out when it is out for one."""
    here = ProviderState(name="a", in_flight=2, max_in_flight=8, is_out=False)
    there = ProviderState(name="a", in_flight=3, max_in_flight=8, is_out=True)
    [state] = merged([Snapshot(providers=[here], lost=1), Snapshot(providers=[there])]).providers
    assert state == ProviderState(name="a", in_flight=5, max_in_flight=16, is_out=True)


def test_it_can_be_sent() -> None:
    """A snapshot is the same on the other side of a channel."""
    snapshot = merged([counted([generation(), refusal()])])
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot)
    assert merged([sent]) == merged([snapshot])


def test_provider_states() -> None:
    """An ejection shows for as long as it lasts, and stays counted."""
    settings = Provider(name="a", base_url="https://a.example", ejection=Ejection(failures=1))
    provider = RoutingProvider(settings)
    with provider.lease("home"):
        provider.health.failed(now=100.0, cause="status 500")
        [state] = provider_states([provider], now=101.0)
    assert (state.in_flight, state.max_in_flight, state.is_out) == (1, 512, True)
    assert (state.routed["home"], sum(state.routed.values())) == (1, 1)
    [later] = provider_states([provider], now=110.0)
    assert (later.is_out, later.in_flight) == (False, 0)
    assert provider.health.ejected == 1
