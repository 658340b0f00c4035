"""The router: which providers serve a model."""

from gateway.config import Config, Model, Sticky
from gateway.routing.pool import Pool
from gateway.routing.ring import Ring
from gateway.routing.router import Router
from tests.parts.pools import KEY, NOW, all_choices, found, settings


def router() -> Router:
    mini = settings("named", models=("gpt-4o-mini", Model(name="fast", upstream="gpt-4.1-nano")))
    return Router(Config(providers=(mini, settings("twin", models=("gpt-4o-mini", "fast")))))


def names_of(pool: Pool) -> set[str]:
    return {provider.name for provider in pool.members}


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
    assert pool.choose(KEY, NOW) is None
    assert pool.choose(None, NOW) is None


def test_call_without_a_model_may_go_anywhere() -> None:
    """Endpoints that name no model have every provider to choose from."""
    assert names_of(router().pool(None)) == {"named", "twin"}


def test_nobody_is_left_for_a_call_without_a_model() -> None:
    """Where all are drained, the reason names no model that the call has not named."""
    reason = Router(Config(providers=(settings("a", weight=0),))).nobody([None])
    assert (reason.status, reason.message) == (503, "Every provider is drained")


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
    with subject.providers["a"].lease("home"):
        for model in ("m", None):
            assert found(all_choices(subject.pool(model), None)) == [("b", "unkeyed")]


def test_points_come_from_the_configuration() -> None:
    """`sticky.points` is the number of points of a provider of weight 1."""
    config = Config(providers=(settings("a"), settings("b", weight=2)), sticky=Sticky(points=7))
    assert Router(config).pool(None).ring.shares() == Ring({"a": 1, "b": 2}, 7).shares()
