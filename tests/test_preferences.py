"""OpenRouter's `provider` object: what it bars, in which order it has providers tried."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.errors import BadRequest
from gateway.routing.preferences import (
    Preferences,
    Terms,
    nobody_left,
    read_preferences,
    terms_of,
)
from gateway.routing.provider import Provider
from tests.parts.pools import settings

NANO = 10**9
PROVIDERS = [Provider(settings(name)) for name in ("azure", "openai/eu", "openai/us", "router")]
FORWARDING = Provider(settings("forwarding", forwards_preferences=True))
PRICES = {"azure": (3, 9), "openai/eu": (2, 8), "openai/us": (1, 9)}
"""USD for a million tokens; nobody knows what `router` takes."""


def price_of(provider: Provider) -> tuple[int, int] | None:
    found = PRICES.get(provider.name)
    return (found[0] * NANO, found[1] * NANO) if found else None


def read(**wanted: Any) -> Preferences:
    preferences = read_preferences(json.dumps(wanted).encode())
    assert preferences is not None
    return preferences


def terms(*more: Provider, **wanted: Any) -> Terms:
    return terms_of(read(**wanted), [*PROVIDERS, *more], price_of)


@pytest.mark.parametrize("raw", [b"null", b"{}", b'{"order":null,"only":null}'])
def test_no_preferences(raw: bytes) -> None:
    """Absent, null and empty are the same."""
    assert read_preferences(raw) is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"require_parameters": False},
        {"data_collection": "allow"},
        {"zdr": False, "quantizations": [], "max_price": {}},
        {"allow_fallbacks": True},
    ],
)
def test_fields_that_ask_for_nothing(wanted: Mapping[str, Any]) -> None:
    """OpenRouter's own defaults, spelled out, bar nobody."""
    assert terms(**wanted) == Terms()


def test_order_comes_first_and_others_may_follow() -> None:
    """Known names in the client's order; a base slug names its variants, an unknown one nobody."""
    found = terms(order=["openai", "nowhere", "AZURE"])
    assert found == Terms(frozenset(), ("openai/eu", "openai/us", "azure"))


def test_order_without_fallbacks_is_closed() -> None:
    """Nobody beyond the named ones may be asked."""
    others = frozenset({"azure", "openai/eu", "router"})
    assert terms(order=["openai/us"], allow_fallbacks=False) == Terms(others, ("openai/us",))


def test_order_of_nobody_without_fallbacks_leaves_nobody() -> None:
    """Where none of those named is here, no other takes their place; who forwards sees to it."""
    assert terms(order=["nowhere"], allow_fallbacks=False).barred == {p.name for p in PROVIDERS}
    assert "forwarding" not in terms(FORWARDING, order=["nowhere"], allow_fallbacks=False).barred


def test_sorted_by_price_without_fallbacks() -> None:
    """The cheapest alone; behind an order that the client gave, nobody."""
    assert terms(sort="price", allow_fallbacks=False).order == ("openai/eu",)
    closed = terms(FORWARDING, sort="price", order=["azure"], allow_fallbacks=False)
    assert closed.order == ("azure",)
    assert "forwarding" in closed.barred


def test_only_and_ignore_bar_the_others() -> None:
    """`only` keeps what it names, `ignore` takes out what it names, and both may be given."""
    assert terms(only=["openai"]).barred == {"azure", "router"}
    assert terms(ignore=["openai/eu"]).barred == {"openai/eu"}
    assert terms(only=["openai"], ignore=["openai/eu"]).barred == {"azure", "router", "openai/eu"}


def test_a_prefix_is_no_slug() -> None:
    """`open` is not `openai/eu`, and a variant is not its base."""
    assert terms(ignore=["open", "azure/east"]).barred == frozenset()


def test_ignored_are_left_out_of_the_order() -> None:
    """Who is barred has no place in it."""
    assert terms(order=["openai"], ignore=["openai/eu"]).order == ("openai/us",)


@pytest.mark.parametrize("sort", ["price", {"by": "price"}, {"by": "price", "partition": "model"}])
def test_sorted_by_price(sort: object) -> None:
    """The cheapest for a token of each kind first, after what is in `order`; unknown ones last."""
    assert terms(sort=sort).order == ("openai/eu", "openai/us", "azure", "router")
    assert terms(sort=sort, order=["router"]).order[:2] == ("router", "openai/eu")


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"prompt": 2}, {"openai/eu", "openai/us"}),
        ({"prompt": "1.5"}, {"openai/us"}),
        ({"completion": 8}, {"openai/eu"}),
        ({"prompt": 1, "completion": 8}, set()),
        ({"prompt": 0}, set()),
        ({"prompt": 100}, {"azure", "openai/eu", "openai/us"}),
    ],
)
def test_price_limits(limits: Mapping[str, object], left: set[str]) -> None:
    """Whoever takes more for a million tokens is barred, and so is who may take anything."""
    names = {provider.name for provider in PROVIDERS}
    assert names - terms(max_price=limits).barred == left


@pytest.mark.parametrize(
    "wanted",
    [
        {"zdr": True},
        {"data_collection": "deny"},
        {"require_parameters": True},
        {"quantizations": ["fp8"]},
        {"sort": "latency"},
        {"sort": {"by": "price", "partition": "none"}},
        {"preferred_max_latency": 2},
        {"max_price": {"image": 0.01}},
        {"something_new": {"x": 1}},
    ],
)
def test_what_cannot_be_promised_is_not_ignored(wanted: Mapping[str, Any]) -> None:
    """Everyone is barred but who gets the object passed on; if nobody does, 400 names the field."""
    assert terms(**wanted).barred == {provider.name for provider in PROVIDERS}
    assert terms(FORWARDING, **wanted).barred == {provider.name for provider in PROVIDERS}
    error = nobody_left(read(**wanted))
    assert isinstance(error, BadRequest)
    assert next(iter(wanted)) in error.message


def test_nobody_left_is_not_found() -> None:
    """404, as OpenRouter answers, where names and prices leave nobody."""
    error = nobody_left(read(only=["nowhere"]))
    assert (error.status, error.param) == (404, "provider")


def test_who_forwards_is_bound_by_order_alone() -> None:
    """What else the client wants, that provider sees to itself."""
    assert "forwarding" not in terms(FORWARDING, only=["azure"], max_price={"prompt": 1}).barred
    assert terms(FORWARDING, order=["forwarding"]).order == ("forwarding",)


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ('"azure"', "provider"),
        ("[]", "provider"),
        ('{"order":"azure"}', "provider.order"),
        ('{"only":[1]}', "provider.only"),
        ('{"ignore":{}}', "provider.ignore"),
        ('{"allow_fallbacks":"no"}', "provider.allow_fallbacks"),
        ('{"max_price":3}', "provider.max_price"),
        ('{"max_price":{"prompt":"cheap"}}', "provider.max_price.prompt"),
        ('{"max_price":{"prompt":[]}}', "provider.max_price.prompt"),
        ('{"max_price":{"prompt":"inf"}}', "provider.max_price.prompt"),
        ('{"max_price":{"prompt":"nan"}}', "provider.max_price.prompt"),
        ('{"order":["\\ud800"]}', "provider"),
        ('{"order":' + "[" * 9999, "provider"),
    ],
)
def test_nonsense_is_refused(raw: str, param: str) -> None:
    """400 with the field's name."""
    with pytest.raises(BadRequest) as caught:
        read_preferences(raw.encode())
    assert caught.value.param == param


@pytest.mark.parametrize("field", ["order", "only", "ignore"])
def test_lists_of_names_have_an_end(field: str) -> None:
    """Each name is held against each provider, so a client may give a thousand."""
    assert "azure" in getattr(read(**{field: ["nowhere"] * 999 + ["azure"]}), field)
    with pytest.raises(BadRequest, match="at most 1000"):
        read(**{field: ["nowhere"] * 1001})


def test_an_object_has_an_end() -> None:
    """Built, it would take many times the memory of its text."""
    most = 1024 * 1024
    with pytest.raises(BadRequest, match=f"at most {most} bytes") as caught:
        read_preferences(b'{"only":[],"%b":1}' % (b"x" * most))
    assert caught.value.param == "provider"


def test_an_error_names_no_more_than_it_has_room_for() -> None:
    """However many fields there are that cannot be promised, and however long their names."""
    wanted = read(**{"x" * 1000: 1}, zdr=True)
    assert wanted.beyond == ("x" * 64, "zdr")
    many = read(**{f"field_{number}": 1 for number in range(1000)})
    assert len(nobody_left(many).message) < 1000
