"""What a call cost, in integer nano-dollars.

The upstream's own figure comes first, then the provider's `prices` in the configuration, then the
catalogue: the price list of the genai-prices package, as installed, without network access.
"""

import logging
import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, ModelInfo, TieredPrices
from genai_prices.types import ModelPrice as CataloguePrice
from genai_prices.types import Provider as CatalogueProvider
from msgspec.structs import replace

from gateway import config
from gateway.generation import Usage

_log = logging.getLogger(__name__)

_NANO = 10**9
_MILLION: Final = 1_000_000
_REMEMBERED = 1024
_LONGEST_NAME = 256
_SHORT = (1000, 2000)
"""Tokens of prompts that no tariff calls long."""


class _Tariff(ABC):
    """Prices a usage."""

    @abstractmethod
    def price(self, usage: Usage) -> tuple[int, int]:
        """Total and cache discount, in nano-dollars, each rounded half up once."""


class _Flat(_Tariff):
    """Nano-dollars per million tokens, and per call that used any."""

    def __init__(
        self,
        *,
        input: int,
        output: int,
        cached_input: int,
        cache_write: int,
        reasoning: int,
        call: int = 0,
    ) -> None:
        self.input: Final = input
        self.output: Final = output
        self.cached_input: Final = cached_input
        self.cache_write: Final = cache_write
        self.reasoning: Final = reasoning
        self.call: Final = call

    def price(self, usage: Usage) -> tuple[int, int]:
        cached, written = usage.cached_tokens, usage.cache_write_tokens
        reasoning = usage.reasoning_tokens
        total = (
            (usage.prompt_tokens - cached - written) * self.input
            + cached * self.cached_input
            + written * self.cache_write
            + (usage.completion_tokens - reasoning) * self.output
            + reasoning * self.reasoning
        )
        discount = cached * (self.input - self.cached_input)
        discount -= written * (self.cache_write - self.input)
        fee = self.call if total else 0
        return _rounded(total) + fee, _rounded(discount)


class _Tiered(_Tariff):
    """The whole prompt's length decides what all tokens cost: above `starts[i]`, `tariffs[i+1]`."""

    def __init__(self, starts: tuple[int, ...], tariffs: tuple[_Flat, ...]) -> None:
        self._starts = starts
        self._tariffs = tariffs

    def price(self, usage: Usage) -> tuple[int, int]:
        return self._tariffs[bisect_left(self._starts, usage.prompt_tokens)].price(usage)


class _Dated(_Tariff):
    """A price that changes by date or by time of day; what holds is looked up for every call."""

    def __init__(
        self, model: ModelInfo, prices: list[ConditionalPrice], now: Callable[[], datetime]
    ) -> None:
        self._tariffs = {id(dated.prices): _catalogue_tariff(dated.prices) for dated in prices}
        self._model = model
        self._now = now

    def price(self, usage: Usage) -> tuple[int, int]:
        return self._tariffs[id(self._model.get_prices(self._now()))].price(usage)


class Prices:
    """The prices of all providers; looks each model up once and remembers the last thousand.

    Model names come from clients, so nothing here grows with the number of them.
    """

    def __init__(
        self,
        providers: Sequence[config.Provider],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._catalogue = get_snapshot().providers
        self._configured = {provider.name: _config_tariffs(provider) for provider in providers}
        self._hosts = {p.name: _host_of(p.base_url, self._catalogue) for p in providers}
        self._found: dict[tuple[str, str], _Tariff | None] = {}
        self._missing: set[tuple[str, str]] = set()

    def cost(
        self, provider: str, model: str | None, usage: Usage, reported: int | None
    ) -> tuple[int, int]:
        """What `usage` costs at `provider`, and its cache discount, in nano-dollars.

        The discount is what cached tokens saved against the input price, less what cache writes
        cost on top of it; negative where the writes cost more. `model` may be the name clients ask
        for or the provider's own. `reported` is the upstream's figure in nano-dollars; it holds
        even when it is 0, and then only the discount is ours.
        """
        tariff = self._tariff(provider, model or "")
        if tariff is None:
            if reported is None and (usage.prompt_tokens or usage.completion_tokens):
                self._warn((provider, model or ""))
            return reported or 0, 0
        total, discount = tariff.price(usage)
        return total if reported is None else reported, discount

    def cold(self, provider: str, model: str | None, usage: Usage) -> int:
        """Nano-dollars that the prompt would have cost less, had all of it been cached."""
        warm = replace(usage, cached_tokens=usage.prompt_tokens, cache_write_tokens=0)
        _, saved_warm = self.cost(provider, model, warm, 0)
        _, saved = self.cost(provider, model, usage, 0)
        return saved_warm - saved

    def per_million(self, provider: str, model: str | None) -> tuple[int, int] | None:
        """Nano-dollars for a million tokens of a short prompt and of its answer; None: unknown."""
        tariff = self._tariff(provider, model or "")
        if tariff is None:
            return None
        prompt = [tariff.price(Usage(prompt_tokens=count))[0] for count in _SHORT]
        completion = [tariff.price(Usage(completion_tokens=count))[0] for count in _SHORT]
        return _slope(prompt), _slope(completion)

    def _tariff(self, provider: str, model: str) -> _Tariff | None:
        configured = self._configured.get(provider)
        tariff = None if configured is None else configured.get(model)
        return tariff or self._look_up((provider, model))

    def _look_up(self, key: tuple[str, str]) -> _Tariff | None:
        if not 0 < len(key[1]) <= _LONGEST_NAME:
            return None
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                del self._found[next(iter(self._found))]
            model = self._find(*key)
            self._found[key] = _model_tariff(model, self._now) if model else None
        return self._found[key]

    def _find(self, provider: str, model: str) -> ModelInfo | None:
        """The catalogue's entry: at the host that the provider's URL names, else at whoever is
        known for the model. The package's own lookup is not used: it remembers every name."""
        host = self._hosts.get(provider)
        found = host.find_model(model, all_providers=self._catalogue) if host else None
        if found is not None:
            return found
        makers = (p for p in self._catalogue if p.model_match and p.model_match.is_match(model))
        maker = next(makers, None)
        return maker.find_model(model, all_providers=self._catalogue) if maker else None

    def _warn(self, key: tuple[str, str]) -> None:
        """Say once that a model costs nothing because nobody knows its price."""
        if not 0 < len(key[1]) <= _LONGEST_NAME or len(self._missing) >= _REMEMBERED:
            return
        if key not in self._missing:
            self._missing.add(key)
            _log.warning("No price for model %r of provider %r: its calls are free", *key[::-1])


def _prices_by_any_name(provider: config.Provider) -> dict[str, config.ModelPrice]:
    """The configured prices under the asked and the upstream name of each model.

    A price is found by the name it was written for; the other name only where that has none.
    """
    prices = dict(provider.prices)
    for asked, upstream in (provider.upstream_models or {}).items():
        for name, other in ((asked, upstream), (upstream, asked)):
            if name in provider.prices:
                prices.setdefault(other, provider.prices[name])
    return prices


def _config_tariffs(provider: config.Provider) -> dict[str, _Flat]:
    return {model: _config_tariff(price) for model, price in _prices_by_any_name(provider).items()}


def _config_tariff(price: config.ModelPrice) -> _Flat:
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    return _Flat(
        input=_nano(price.input),
        output=_nano(price.output),
        cached_input=_nano(cached),
        cache_write=_nano(written),
        reasoning=_nano(price.output),
    )


def _host_of(url: str, catalogue: Sequence[CatalogueProvider]) -> CatalogueProvider | None:
    return next((host for host in catalogue if re.match(host.api_pattern, url)), None)


def _model_tariff(model: ModelInfo, now: Callable[[], datetime]) -> _Tariff | None:
    """None for a model that is not sold by the token."""
    if isinstance(model.prices, list):
        return _Dated(model, model.prices, now)
    by_token = model.prices.input_mtok is not None or model.prices.output_mtok is not None
    return _catalogue_tariff(model.prices) if by_token else None


def _catalogue_tariff(price: CataloguePrice) -> _Flat | _Tiered:
    values = price.__dict__.values()
    tiers = [tier for value in values if isinstance(value, TieredPrices) for tier in value.tiers]
    if not tiers:
        return _flat_above(price, 0)
    starts = tuple(sorted({tier.start for tier in tiers}))
    return _Tiered(starts, (_flat_above(price, 0), *(_flat_above(price, s + 1) for s in starts)))


def _flat_above(price: CataloguePrice, prompt_tokens: int) -> _Flat:
    """What holds for a prompt of this length; a part without a price costs what its whole does."""

    def rate(value: Decimal | TieredPrices | None, whole: int = 0) -> int:
        if isinstance(value, TieredPrices):
            reached = [tier.price for tier in value.tiers if tier.start < prompt_tokens]
            value = reached[-1] if reached else value.base
        return whole if value is None else _nano(value)

    fresh, output = rate(price.input_mtok), rate(price.output_mtok)
    return _Flat(
        input=fresh,
        output=output,
        cached_input=rate(price.cache_read_mtok, fresh),
        cache_write=rate(price.cache_write_mtok, fresh),
        reasoning=rate(price.output_reasoning_mtok, output),
        call=rate(price.requests_kcount) // 1000,
    )


def _nano(dollars: float | Decimal) -> int:
    """Exact for up to nine decimals: a float is taken by its shortest decimal form."""
    return int((Decimal(str(dollars)) * _NANO).quantize(Decimal(1), ROUND_HALF_UP))


def _slope(prices: Sequence[int]) -> int:
    """For a million more tokens, without what a call costs by itself; `prices` are of `_SHORT`."""
    few, more = prices
    return (more - few) * _MILLION // (_SHORT[1] - _SHORT[0])


def _rounded(price: int) -> int:
    """Tokens times a price per million -> nano-dollars, rounded half up."""
    return (price + _MILLION // 2) // _MILLION
