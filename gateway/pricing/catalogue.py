"""The price list of the genai-prices package, as installed, without network access."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, TieredPrices
from genai_prices.types import Provider as Host

from gateway import config
from gateway.generation import Usage
from gateway.money import nano
from gateway.pricing.premiums import Premiums, Rates
from gateway.pricing.tariff import Flat, Tariff, Tiered

LONGEST_NAME: Final = 256
REMEMBERED: Final = 1024

_AUDIO = ("input_audio_mtok", "cache_audio_read_mtok", "output_audio_mtok")
_IMAGE = ("input_image_mtok", "cache_image_read_mtok", "output_image_mtok")


class Catalogue:
    """Looks each model up once and remembers the last thousand of each provider.

    Model names come from clients, so nothing here grows with the number of them.
    """

    def __init__(self, providers: Sequence[config.Provider], now: Callable[[], datetime]) -> None:
        self._now = now
        self._all = get_snapshot().providers
        self._hosts = {each.name: _host_of(each.base_url, self._all) for each in providers}
        self._found: dict[str, dict[str, Tariff | None]] = {each.name: {} for each in providers}

    def tariff(self, provider: str, model: str) -> Tariff | None:
        """None for a model that nobody knows, or that is not sold by the token."""
        known = self._found.get(provider)
        if known is None or not 0 < len(model) <= LONGEST_NAME:
            return None
        found = known.get(model)
        if found is None and model not in known:
            if len(known) >= REMEMBERED:
                del known[next(iter(known))]
            entry = self._find(provider, model)
            found = known[model] = _model_tariff(entry, self._now) if entry else None
        return found

    def _find(self, provider: str, model: str) -> ModelInfo | None:
        """The entry at the host that the provider's URL names, else at whoever is known for the
        model. The package's own lookup is not used: it remembers every name."""
        host = self._hosts.get(provider)
        found = host.find_model(model, all_providers=self._all) if host else None
        if found is not None:
            return found
        makers = (
            each for each in self._all if each.model_match and each.model_match.is_match(model)
        )
        maker = next(makers, None)
        return maker.find_model(model, all_providers=self._all) if maker else None


class _ByServiceTier(Tariff):
    """Service tiers have prices of their own, which may begin on some day; where a tier has none,
    `usual` holds."""

    def __init__(self, model: ModelInfo, usual: Tariff, now: Callable[[], datetime]) -> None:
        self._model = model
        self._usual = usual
        self._now = now
        self._tariffs: dict[tuple[int, ...], Tariff] = {}

    def price(self, usage: Usage) -> tuple[int, int]:
        tier = usage.service_tier
        return (self._usual if tier is None else self._of(tier)).price(usage)

    def _of(self, tier: str) -> Tariff:
        prices = self._model.get_prices(self._now(), {"service_tier": tier, "speed": tier})
        # The copy is made for this call; what it consists of stays with the model.
        key = tuple([id(price) for price in prices.__dict__.values()])
        found = self._tariffs.get(key)
        if found is None:
            found = self._tariffs[key] = _tariff(prices)
        return found


class _Dated(Tariff):
    """A price that changes by date or by time of day; what holds is looked up for every call."""

    def __init__(
        self, model: ModelInfo, prices: list[ConditionalPrice], now: Callable[[], datetime]
    ) -> None:
        self._tariffs = {id(dated.prices): _tariff(dated.prices) for dated in prices}
        self._model = model
        self._now = now

    def price(self, usage: Usage) -> tuple[int, int]:
        return self._tariffs[id(self._model.get_prices(self._now()))].price(usage)


def _host_of(url: str, hosts: Sequence[Host]) -> Host | None:
    return next((host for host in hosts if re.match(host.api_pattern, url)), None)


def _model_tariff(model: ModelInfo, now: Callable[[], datetime]) -> Tariff | None:
    """None for a model that is not sold by the token."""
    usual = _usual_tariff(model, now)
    has_tiers = bool(getattr(model, "price_variants", None))  # older lists do not know them
    return _ByServiceTier(model, usual, now) if usual and has_tiers else usual


def _usual_tariff(model: ModelInfo, now: Callable[[], datetime]) -> Tariff | None:
    if isinstance(model.prices, list):
        return _Dated(model, model.prices, now)
    by_token = model.prices.input_mtok is not None or model.prices.output_mtok is not None
    return _tariff(model.prices) if by_token else None


def _tariff(price: ModelPrice) -> Flat | Tiered:
    values = price.__dict__.values()
    tiers = [tier for value in values if isinstance(value, TieredPrices) for tier in value.tiers]
    if not tiers:
        return _flat_above(price, 0)
    starts = tuple(sorted({tier.start for tier in tiers}))
    return Tiered(starts, (_flat_above(price, 0), *(_flat_above(price, s + 1) for s in starts)))


def _flat_above(price: ModelPrice, prompt_tokens: int) -> Flat:
    """What holds for a prompt of this length; a part without a price costs what its whole does."""

    def own(name: str) -> int | None:
        value = getattr(price, name, None)  # older lists do not know all names
        if isinstance(value, TieredPrices):
            reached = [tier.price for tier in value.tiers if tier.start < prompt_tokens]
            value = reached[-1] if reached else value.base
        return None if value is None else nano(value)

    def rate(name: str, whole: int = 0) -> int:
        found = own(name)
        return whole if found is None else found

    fresh, output = rate("input_mtok"), rate("output_mtok")
    cached, written = rate("cache_read_mtok", fresh), rate("cache_write_mtok", fresh)
    text = Rates(fresh, cached, output)
    return Flat(
        input=fresh,
        output=output,
        cached_input=cached,
        cache_write=written,
        cache_write_1h=rate("cache_write_1h_mtok", written),
        reasoning=rate("output_reasoning_mtok", output),
        premiums=Premiums(
            text,
            text.beside(*map(own, _AUDIO)),
            text.beside(*map(own, _IMAGE)),
            web_search=rate("web_searches_kcount") // 1000,
        ),
        call=rate("requests_kcount") // 1000,
    )
