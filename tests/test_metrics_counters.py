"""What is counted of a generation, under which labels, and how far clients can make them grow."""

from typing import Any

import pytest

from gateway.config import Metrics, Provider
from gateway.generation import Attempt, Flag, Generation, Usage
from gateway.metrics.counters import MAX_SERIES, Counters
from gateway.metrics.snapshot import CallLabels, Snapshot
from tests.parts.generations import generation, refusal

PROVIDERS = (
    Provider(name="a", base_url="https://a.example", models=("small", "large")),
    Provider(name="b", base_url="https://b.example"),
)
ANSWERED = (Attempt("a", "small", 200),)


def counted(*generations: Generation, **settings: Any) -> Snapshot:
    counters = Counters(Metrics(**settings), PROVIDERS)
    for each in generations:
        counters.add(each)
    return counters.snapshot()


def test_sums_of_a_series() -> None:
    """Calls with the same labels add up: tokens, cost, times and discounts of either sign."""
    usage = Usage(100, 20, reasoning_tokens=8, cached_tokens=60, cache_write_tokens=5)
    fields: dict[str, Any] = {"route": "home", "usage": usage, "cost": 7, "attempts": ANSWERED}
    snapshot = counted(
        generation(1, latency_ms=20, first_byte_ms=7, cache_discount=9, **fields),
        generation(2, latency_ms=21, first_byte_ms=None, cache_discount=-4, **fields),
    )
    [(labels, sums)] = snapshot.calls
    assert labels == CallLabels("a", "small", "home", "ok", "2xx")
    assert (sums.requests, sums.prompt_tokens, sums.completion_tokens) == (2, 200, 40)
    assert (sums.reasoning_tokens, sums.cached_tokens, sums.cache_write_tokens) == (16, 120, 10)
    assert (sums.cost, sums.cache_saved, sums.cache_surcharge) == (14, 9, 4)
    assert sums.duration.total == 41
    assert sums.duration.buckets[:3] == (0, 1, 1)  # a bound belongs to its bucket
    assert sums.first_byte.total == 7
    assert sum(sums.first_byte.buckets) == 1
    assert snapshot.attempts == {"a": {"2xx": 2}}


def test_attempts_by_result() -> None:
    """Every try counts at its provider, by status class or by why there was no answer."""
    tries = (
        Attempt("a", "small", None, "connect: a:443: cannot connect"),
        Attempt("b", "small", 429),
        Attempt("a", "large", 200),
    )
    broken = (Attempt("b", "x", 500),)
    snapshot = counted(
        generation(1, attempts=tries),
        generation(2, attempts=ANSWERED),
        generation(3, provider="b", outcome="failed", status=500, attempts=broken),
        refusal(4),
    )
    assert snapshot.attempts == {"a": {"connect": 1, "2xx": 2}, "b": {"4xx": 1, "5xx": 1}}


def test_moves_and_flags() -> None:
    """A move counts with its cost, a flag by its type."""
    flags = (Flag("policy_auto_moderate", "x"), Flag("provider_refusal", "y"))
    snapshot = counted(
        generation(1, moved_from="b", move_cost=12, attempts=ANSWERED, flags=flags), refusal(2)
    )
    sums = dict(snapshot.calls)[CallLabels("a", "small", "", "ok", "2xx")]
    assert (sums.moves, sums.move_cost) == (1, 12)
    assert snapshot.attempts == {"a": {"2xx": 1}}
    assert snapshot.flags == {
        "policy_auto_moderate": 1,
        "provider_refusal": 1,
        "policy_enforce_user_ids": 1,
    }


@pytest.mark.parametrize(
    ("model", "label"),
    [("small", "small"), ("gpt-4o", "gpt-4o"), ("made-up", "other"), (None, ""), ("", "")],
)
def test_models_have_known_names(model: str | None, label: str) -> None:
    """Configured and listed models go by their name; what a client makes up is `other`."""
    [(labels, _)] = counted(generation(model=model)).calls
    assert labels.model == label


def test_clients_cannot_grow_the_series() -> None:
    """Names that clients make up share one series, and even known ones end at a limit."""
    names = tuple(f"m{number}" for number in range(2 * MAX_SERIES))
    provider = Provider(name="a", base_url="https://a.example", models=names)
    counters = Counters(Metrics(), (provider,))
    for number, name in enumerate(names):
        counters.add(generation(1, model=name))
        counters.add(generation(1, model=f"made-up-{number}"))
        counters.add(generation(1, model=f"other-made-up-{number}"))
    snapshot = counters.snapshot()
    assert len(snapshot.calls) <= MAX_SERIES + 1
    assert sum(counts.requests for _, counts in snapshot.calls) == 3 * len(names)
    counters.add(generation(1, model="m0"))
    by_model = {labels.model: counts.requests for labels, counts in counters.snapshot().calls}
    assert by_model["m0"] == 2


def test_users_are_counted_only_if_asked_for() -> None:
    """By default no user appears; asked for, the first ones by name and the rest as one."""
    calls = [generation(n, user=f"u{n % 4}") for n in range(8)] + [generation(9, user=None)]
    assert counted(*calls).users == ()
    users = {labels.user: counts for labels, counts in counted(*calls, users=3).users}
    assert {user: counts.requests for user, counts in users.items()} == {
        "u0": 2,
        "u1": 2,
        "u2": 2,
        "other": 2,
    }
    assert (users["u0"].tokens, users["u0"].cost) == (30, 14)


def test_the_same_user_of_two_keys_is_two() -> None:
    """Users are told apart by the key they come with."""
    snapshot = counted(generation(1, tenant="x"), generation(2, tenant="y"), users=9)
    assert [(labels.key, labels.user) for labels, _ in snapshot.users] == [
        ("x", "user_1"),
        ("y", "user_1"),
    ]
