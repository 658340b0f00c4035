"""Plans: over the models of a call and over each model's providers, as the client asked."""

import json
from typing import Any

import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.calls.reader import read_call
from gateway.config import Config, ModelPrice
from gateway.errors import BadRequest, ModelNotFound, NoProvider, NotFound
from gateway.pricing.prices import Prices
from gateway.routing.plan import Planner
from gateway.routing.router import Router
from gateway.routing.verdict import SICK
from tests.parts.pools import NOW, ORDER, settings
from tests.parts.requests import request

SMALL = ModelPrice(input=1, output=2)
LARGE = ModelPrice(input=10, output=20)
PROVIDERS = (
    settings("openai-a", models=("small", "large"), prices={"small": SMALL, "large": LARGE}),
    settings("openai-b", models=("small",), prices={"small": LARGE}),
    settings("openai-c", models=("small",), prices={"small": LARGE}),
)


def asked(**fields: Any) -> tuple[Call, bytes]:
    """A call of the user whose order of choice is ORDER."""
    body = json.dumps({"model": "small", "user": "user_1", **fields}).encode()
    return read_call(request(body=body), ENDPOINTS["chat/completions"], "my-app"), body


def tries(router: Router | None = None, **fields: Any) -> list[tuple[str, str, str | None]]:
    """Provider, route and model of everyone who would be tried."""
    config = Config(providers=PROVIDERS)
    planner = Planner(router or Router(config), Prices(PROVIDERS), config.sticky.key)
    plan = planner.plan(*asked(**fields))
    found: list[tuple[str, str, str | None]] = []
    while candidate := plan.next(NOW):
        found.append((candidate.provider.name, candidate.route, candidate.model))
    assert plan.next(NOW) is None
    return found


def test_a_plain_call_goes_by_the_ring() -> None:
    """Home, then the others in the ring's order, each once."""
    routes = ("home", "failover", "failover")
    expected = [(name, route, "small") for name, route in zip(ORDER, routes, strict=True)]
    assert tries() == expected


def test_models_are_tried_one_after_the_other() -> None:
    """The next model's providers follow when all of the one before had their try."""
    found = tries(models=["nobody's", "large"])
    assert [model for _, _, model in found] == ["small"] * 3 + ["large"]
    assert found[-1] == ("openai-a", "failover", "large")


def test_a_model_that_nobody_serves_is_passed_over() -> None:
    """The first that is served takes its place; if none is, the answer is 404."""
    assert tries(model="none", models=["large"]) == [("openai-a", "home", "large")]
    with pytest.raises(ModelNotFound, match="none"):
        tries(model="none", models=["nil"])


def test_a_model_of_drained_providers_is_not_unknown() -> None:
    """Who serves it takes no calls just now: 503, not 404; another model of the call goes ahead."""
    drained = settings("openai-d", models=("resting",), weight=0)
    router = Router(Config(providers=(*PROVIDERS, drained)))
    assert tries(router, model="resting", models=["large"]) == [("openai-a", "home", "large")]
    for fields in (
        {"model": "resting"},
        {"model": "resting", "models": ["nil"]},
        {"model": "nil", "models": ["resting"]},
    ):
        with pytest.raises(NoProvider, match="`resting` is drained"):
            tries(router, **fields)


def test_order_is_pinned_and_the_ring_follows() -> None:
    """The client's order decides over the user's home; the rest are fallbacks."""
    found = [(name, route) for name, route, _ in tries(provider={"order": ["openai-c"]})]
    assert found == [("openai-c", "pinned"), ("openai-b", "failover"), ("openai-a", "failover")]


def test_order_without_fallbacks_ends_with_it() -> None:
    """Only the named ones are tried."""
    preferences = {"order": ["openai-c", "openai-a"], "allow_fallbacks": False}
    names = [name for name, _, _ in tries(provider=preferences)]
    assert names == ["openai-c", "openai-a"]


def ejecting(*names: str) -> Router:
    """A router whose providers of these names are out."""
    router = Router(Config(providers=PROVIDERS))
    for name in names:
        for _ in range(5):
            router.providers[name].health.observe(SICK, NOW)
    return router


def test_who_is_out_comes_last_whatever_the_order() -> None:
    """A call goes to a sick provider only where nobody else is left."""
    wanted: dict[str, Any] = {"order": ["openai-c"]}
    names = [name for name, _, _ in tries(ejecting("openai-c"), provider=wanted)]
    assert names == [ORDER[0], ORDER[1], "openai-c"]
    wanted["allow_fallbacks"] = False
    names = [name for name, _, _ in tries(ejecting("openai-c"), provider=wanted)]
    assert names == ["openai-c"]


def test_without_fallbacks_the_home_alone_is_tried() -> None:
    """No order, no fallbacks: one provider, where the user lives."""
    assert tries(provider={"allow_fallbacks": False}) == [(ORDER[0], "home", "small")]


def test_only_where_the_home_is_left_is_home() -> None:
    """The ring still decides among those that are left; without the home the client did."""
    assert tries(provider={"only": ["openai-b"]}) == [("openai-b", "home", "small")]
    assert tries(provider={"ignore": ["openai-b"]})[0] == ("openai-a", "pinned", "small")


def test_sort_by_price() -> None:
    """The cheapest first, whoever is home."""
    assert tries(provider={"sort": "price"})[0] == ("openai-a", "pinned", "small")


def test_limits_hold_for_each_model() -> None:
    """A provider may be cheap enough for one model and not for another."""
    found = tries(models=["large"], provider={"max_price": {"prompt": 5}})
    assert found == [("openai-a", "pinned", "small")]


def test_nothing_left() -> None:
    """404 where preferences bar everyone, 400 where they ask for what cannot be promised."""
    with pytest.raises(NotFound, match="No provider meets"):
        tries(provider={"only": ["nowhere"]})
    with pytest.raises(BadRequest, match=r"`provider\.zdr`"):
        tries(provider={"zdr": True})


def test_choices_are_made_when_they_are_asked_for() -> None:
    """A provider that filled up since the first try is passed over."""
    config = Config(providers=tuple(settings(name, max_in_flight=1) for name in ORDER))
    router = Router(config)
    plan = Planner(router, Prices(config.providers), config.sticky.key).plan(*asked())
    first = plan.next(NOW)
    assert first is not None
    with router.providers[ORDER[1]].lease("home"):
        second = plan.next(NOW)
    assert second is not None
    assert (first.provider.name, second.provider.name) == (ORDER[0], ORDER[2])
