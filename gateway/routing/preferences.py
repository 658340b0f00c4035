"""OpenRouter's `provider` object: what a client wants of the providers its call may go to.

openrouter.ai/docs/guides/routing/provider-selection. Hearth heeds `order`, `only`, `ignore`,
`allow_fallbacks`, `sort: price` and `max_price` for prompt and completion. What it cannot promise
is never ignored: such a call goes to providers that get the object passed on, or nowhere.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from gateway.errors import BadRequest, GatewayError, NotFound
from gateway.routing.provider import Provider

PriceOf = Callable[[Provider], tuple[int, int] | None]
"""Nano-dollars for a million tokens of prompt and of completion, where they are known."""

_IDLE: tuple[object, ...] = (None, False, "allow", [], {})
"""Values that ask for nothing."""

_LONGEST = 1024 * 1024
"""Bytes: all of it is built, which takes thirty times the memory of its text."""

_MAX_NAMES = 1000
_MAX_BEYOND = 16
_MAX_FIELD = 64
_NANO = 10**9
_decode = msgspec.json.Decoder(dict[str, Any] | None).decode


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """`max_prompt` and `max_completion`: nano-dollars for a million tokens.

    `beyond`: the fields that Hearth itself cannot heed, as many and as much of each as an error has
    room for.
    """

    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    by_price: bool = False
    max_prompt: int | None = None
    max_completion: int | None = None
    beyond: tuple[str, ...] = ()


class Terms(msgspec.Struct, frozen=True):
    """What preferences come to in one pool, as provider names.

    `barred` take no part. Those in `order` are tried first, as long as they are well. `is_single`:
    nobody is tried after the first.
    """

    barred: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    is_single: bool = False


def read_preferences(raw: bytes) -> Preferences | None:
    """The preferences in a `provider` object; None when there are none, BadRequest for nonsense."""
    if raw == b"null":
        return None
    if len(raw) > _LONGEST:
        raise BadRequest(f"`provider` must have at most {_LONGEST} bytes", "provider")
    try:
        given = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("`provider` must be an object", "provider") from error
    asked = {name: value for name, value in (given or {}).items() if value is not None}
    if not asked:
        return None
    allow_fallbacks = asked.pop("allow_fallbacks", True)
    if not isinstance(allow_fallbacks, bool):
        raise _wrong("allow_fallbacks", "true or false")
    prices = _max_price(asked.pop("max_price", {}))
    max_prompt, max_completion = (_nano(prices, unit) for unit in ("prompt", "completion"))
    order, only, ignore = (_names(asked, field) for field in ("order", "only", "ignore"))
    by_price = _is_price(asked.get("sort"))
    if by_price:
        del asked["sort"]
    rest = {**asked, **{f"max_price.{unit}": value for unit, value in prices.items()}}
    return Preferences(
        order=order,
        only=only,
        ignore=ignore,
        allow_fallbacks=allow_fallbacks,
        by_price=by_price,
        max_prompt=max_prompt,
        max_completion=max_completion,
        beyond=_beyond(rest),
    )


def _beyond(rest: Mapping[str, object]) -> tuple[str, ...]:
    fields = (field[:_MAX_FIELD] for field, value in rest.items() if value not in _IDLE)
    return tuple(islice(fields, _MAX_BEYOND))


def terms_of(wanted: Preferences, providers: Collection[Provider], price_of: PriceOf) -> Terms:
    """`wanted` of `providers`; it may bar them all.

    A provider that forwards preferences is only bound by the names in `order`: what else the
    client wants, it sees to itself.
    """
    barred = {p for p in providers if not _is_wanted(p, wanted, price_of)}
    left = [p for p in providers if p not in barred]
    order = _in_order(wanted.order, left)
    if wanted.by_price:
        order += _by_price(wanted, order, left, price_of)
    is_closed = not wanted.allow_fallbacks
    if order and is_closed:
        barred = {p for p in providers if p not in order}
    names = tuple(p.name for p in order)
    return Terms(frozenset(p.name for p in barred), names, is_single=is_closed and not order)


def nobody_left(wanted: Preferences) -> GatewayError:
    """What to say where every provider is barred."""
    if not wanted.beyond:
        return NotFound("No provider meets what `provider` asks for", "provider")
    fields = ", ".join(f"`provider.{field}`" for field in wanted.beyond)
    return BadRequest(f"No provider here supports {fields}", f"provider.{wanted.beyond[0]}")


def _is_wanted(provider: Provider, wanted: Preferences, price_of: PriceOf) -> bool:
    if provider.settings.forwards_preferences:
        return True
    if wanted.beyond:
        return False
    if wanted.only and not _is_named(provider.name, wanted.only):
        return False
    if wanted.order and not (wanted.allow_fallbacks or _is_named(provider.name, wanted.order)):
        return False
    if _is_named(provider.name, wanted.ignore):
        return False
    limits = (wanted.max_prompt, wanted.max_completion)
    if limits == (None, None):
        return True
    prices = price_of(provider)
    if prices is None:
        return False
    return all(m is None or price <= m for price, m in zip(prices, limits, strict=True))


def _in_order(slugs: Iterable[str], providers: Collection[Provider]) -> list[Provider]:
    named = (p for slug in slugs for p in providers if _is_named(p.name, (slug,)))
    return list(dict.fromkeys(named))


def _by_price(
    wanted: Preferences, order: Collection[Provider], left: Iterable[Provider], price_of: PriceOf
) -> list[Provider]:
    """Who comes after `order`, the cheapest first. Without fallbacks that is nobody, and where no
    order is asked for the cheapest alone."""
    rest = [p for p in left if p not in order]
    cheapest_first = sorted(rest, key=lambda p: (_total(price_of(p)), p.name))
    if wanted.allow_fallbacks:
        return cheapest_first
    return [] if wanted.order else cheapest_first[:1]


def _is_named(name: str, slugs: Iterable[str]) -> bool:
    """A base slug names all its variants: `vertex` is `vertex/us-east5` as well."""
    lower = name.lower()
    return any(lower == s.lower() or lower.startswith(f"{s.lower()}/") for s in slugs)


def _total(prices: tuple[int, int] | None) -> float:
    """Unknown prices come last."""
    return float("inf") if prices is None else sum(prices)


def _is_price(sort: object) -> bool:
    if isinstance(sort, dict):
        return sort.get("by") == "price" and sort.get("partition", "model") in (None, "model")
    return sort == "price"


def _names(asked: dict[str, Any], field: str) -> tuple[str, ...]:
    names = asked.pop(field, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong(field, "a list of provider names")
    if len(names) > _MAX_NAMES:
        raise _wrong(field, f"a list of at most {_MAX_NAMES} provider names")
    return tuple(names)


def _max_price(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong("max_price", "an object")
    return value


def _nano(prices: dict[str, Any], unit: str) -> int | None:
    """Numbers and strings of numbers, as both are documented."""
    dollars = prices.pop(unit, None)
    if dollars is None:
        return None
    try:
        return round(msgspec.convert(dollars, float, strict=False) * _NANO)
    except (msgspec.ValidationError, OverflowError, ValueError) as error:
        raise _wrong(f"max_price.{unit}", "a number of dollars") from error


def _wrong(field: str, expected: str) -> BadRequest:
    return BadRequest(f"`provider.{field}` must be {expected}", f"provider.{field}")
