"""Pools and the router: which providers a call may go to, in which order, and why."""

from collections import Counter
from contextlib import ExitStack

import pytest

from gateway.config import Config, Model, Sticky
from gateway.config import Provider as Settings
from gateway.routing.pool import Candidate, Pool, Router
from gateway.routing.provider import Provider
from gateway.routing.ring import Ring

NAMES = ("openai-a", "openai-b", "openai-c")
KEY = b"my-app\0user_1"
ORDER = ("openai-b", "openai-a", "openai-c")  # of KEY, pinned in test_ring


def settings(
    name: str,
    models: tuple[str | Model, ...] | None = None,
    weight: float = 1,
    max_in_flight: int = 512,
) -> Settings:
    return Settings(
        name=name,
        base_url=f"https://{name}.example/v1",
        models=models,
        weight=weight,
        max_in_flight=max_in_flight,
    )


def pool_of(*providers: Settings) -> Pool:
    return Router(Config(providers=providers)).pool(None)


def found(candidates: list[Candidate]) -> list[tuple[str, str]]:
    return [(candidate.provider.name, candidate.route) for candidate in candidates]


def provider_in(pool: Pool, name: str) -> Provider:
    return next(c.provider for c in pool.candidates(KEY) if c.provider.name == name)


@pytest.fixture
def pool() -> Pool:
    """Three providers, one place each."""
    return pool_of(*(settings(name, max_in_flight=1) for name in NAMES))


def test_user_goes_home_and_then_down_the_ring(pool: Pool) -> None:
    """The home is first, everything after it is a failover, in the ring's order."""
    routes = ("home", "failover", "failover")
    assert found(list(pool.candidates(KEY))) == list(zip(ORDER, routes, strict=True))


def test_full_home_spills_to_the_second_choice(pool: Pool) -> None:
    """Who finds the home full goes to the next choice as `spill`."""
    with provider_in(pool, ORDER[0]).lease():
        assert found(list(pool.candidates(KEY))) == [(ORDER[1], "spill"), (ORDER[2], "failover")]
    assert found(list(pool.candidates(KEY)))[0] == (ORDER[0], "home")


def test_two_full_providers_spill_to_the_third(pool: Pool) -> None:
    """It is still a spill when the second choice is full as well."""
    with ExitStack() as stack:
        for name in ORDER[:2]:
            stack.enter_context(provider_in(pool, name).lease())
        assert found(list(pool.candidates(KEY))) == [(ORDER[2], "spill")]


def test_choice_after_a_failure_is_a_failover_though_one_is_full(pool: Pool) -> None:
    """Home failed, the second is full: the third is tried because of the failure."""
    candidates = pool.candidates(KEY)
    assert found([next(candidates)]) == [(ORDER[0], "home")]
    with provider_in(pool, ORDER[1]).lease():
        assert found(list(candidates)) == [(ORDER[2], "failover")]


def test_availability_is_asked_when_it_is_a_providers_turn(pool: Pool) -> None:
    """A provider that filled up since the first try is passed over."""
    candidates = pool.candidates(KEY)
    next(candidates)
    with provider_in(pool, ORDER[1]).lease(), provider_in(pool, ORDER[2]).lease():
        assert list(candidates) == []


def test_nothing_is_available_when_all_are_full(pool: Pool) -> None:
    """A pool at its limit has no candidates, with a key or without."""
    with ExitStack() as stack:
        for candidate in list(pool.candidates(KEY)):
            stack.enter_context(candidate.provider.lease())
        assert list(pool.candidates(KEY)) == []
        assert list(pool.candidates(None)) == []
    assert len(pool) == 3


def test_drained_provider_is_never_a_candidate() -> None:
    """Weight 0 takes neither users nor calls without one, not even as the last choice."""
    pool = pool_of(settings("openai-a"), settings("openai-b", weight=0), settings("openai-c"))
    for key in (KEY, None):
        assert {c.provider.name for c in pool.candidates(key)} == {"openai-a", "openai-c"}
    assert len(pool) == 2


def test_same_user_of_two_tenants_lives_in_two_places(pool: Pool) -> None:
    """Users are kept apart by tenant: these two `user_1` have different homes."""
    mine, theirs = next(pool.candidates(KEY)), next(pool.candidates(b"other-app\0user_1"))
    assert (mine.provider.name, theirs.provider.name) == ("openai-b", "openai-a")


def test_calls_without_a_user_take_turns() -> None:
    """Idle providers of one weight get the same number of calls that no user is named on."""
    pool = pool_of(*map(settings, NAMES))
    turns = Counter(next(pool.candidates(None)).provider.name for _ in range(30))
    assert turns == dict.fromkeys(NAMES, 10)
    assert {c.route for c in pool.candidates(None)} == {"unkeyed"}


def test_calls_without_a_user_follow_the_weights() -> None:
    """A provider of three times the weight gets three times the calls."""
    pool = pool_of(settings("light"), settings("heavy", weight=3))
    turns = Counter(next(pool.candidates(None)).provider.name for _ in range(40))
    assert turns == {"light": 10, "heavy": 30}


def test_calls_without_a_user_go_to_the_least_loaded() -> None:
    """What is in flight for its weight decides before whose turn it is."""
    pool = pool_of(settings("light"), settings("heavy", weight=3))
    with ExitStack() as stack:
        stack.enter_context(provider_in(pool, "light").lease())
        for _ in range(2):
            stack.enter_context(provider_in(pool, "heavy").lease())
            assert next(pool.candidates(None)).provider.name == "heavy"
        for _ in range(2):
            stack.enter_context(provider_in(pool, "heavy").lease())
        assert next(pool.candidates(None)).provider.name == "light"


def test_calls_without_a_user_try_every_provider(pool: Pool) -> None:
    """After a failure each of the others gets its try, once."""
    assert sorted(c.provider.name for c in pool.candidates(None)) == list(NAMES)


def router() -> Router:
    mini = settings("named", models=("gpt-4o-mini", Model(name="fast", upstream="gpt-4.1-nano")))
    return Router(Config(providers=(mini, settings("twin", models=("gpt-4o-mini", "fast")))))


def names_of(pool: Pool) -> set[str]:
    return {candidate.provider.name for candidate in pool.candidates(None)}


def test_model_is_served_by_those_who_name_it() -> None:
    """A call goes to providers that name its model, under its own name or as an alias."""
    fast = settings("nano", models=(Model(name="fast", upstream="gpt-4.1-nano"),))
    mini = settings("mini", models=("gpt-4o-mini",))
    subject = Router(Config(providers=(fast, mini)))
    assert names_of(subject.pool("fast")) == {"nano"}
    assert names_of(subject.pool("gpt-4o-mini")) == {"mini"}


def test_upstream_name_of_an_alias_is_not_served() -> None:
    """What is behind an alias cannot be asked for unless it is named as well."""
    assert len(router().pool("gpt-4.1-nano")) == 0


def test_provider_without_models_serves_any() -> None:
    """It shares the named ones, and alone serves what no one names."""
    subject = Router(Config(providers=(settings("named", models=("m",)), settings("any"))))
    assert names_of(subject.pool("m")) == {"named", "any"}
    assert names_of(subject.pool("never heard of")) == {"any"}


def test_unknown_model_has_an_empty_pool() -> None:
    """Where everyone names models, another one is served by nobody."""
    pool = router().pool("gpt-5")
    assert len(pool) == 0
    assert list(pool.candidates(KEY)) == []
    assert list(pool.candidates(None)) == []


def test_call_without_a_model_may_go_anywhere() -> None:
    """Endpoints that name no model have every provider to choose from."""
    assert names_of(router().pool(None)) == {"named", "twin"}


def test_models_of_the_same_providers_share_a_pool() -> None:
    """One ring for one set of providers, so a user's home is the same for all their models."""
    subject = router()
    assert subject.pool("fast") is subject.pool("gpt-4o-mini")
    assert subject.pool("fast") is subject.pool(None)


def test_pools_share_the_live_providers() -> None:
    """What is in flight counts for every pool a provider is in."""
    subject = Router(
        Config(providers=(settings("a", models=("m",), max_in_flight=1), settings("b")))
    )
    with subject.providers["a"].lease():
        assert names_of(subject.pool("m")) == {"b"}
        assert names_of(subject.pool(None)) == {"b"}


def test_points_come_from_the_configuration() -> None:
    """`sticky.points` is the number of points of a provider of weight 1."""
    config = Config(providers=(settings("a"), settings("b", weight=2)), sticky=Sticky(points=7))
    assert Router(config).pool(None).ring.shares() == Ring({"a": 1, "b": 2}, 7).shares()
