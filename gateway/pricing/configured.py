"""The tariffs that the configuration gives a provider's models."""

from gateway.config import ModelPrice, Provider
from gateway.money import nano
from gateway.pricing.premiums import Premiums, Rates
from gateway.pricing.tariff import Flat


def configured_tariffs(provider: Provider) -> dict[str, Flat]:
    """Model -> its tariff, by the name clients ask for and by the provider's own."""
    return {model: _tariff(price) for model, price in _prices_by_any_name(provider).items()}


def _prices_by_any_name(provider: Provider) -> dict[str, ModelPrice]:
    """A price is found by the name it was written for; the other name only where that has none."""
    prices = dict(provider.prices)
    for asked, upstream in (provider.upstream_models or {}).items():
        for name, other in ((asked, upstream), (upstream, asked)):
            if name in provider.prices:
                prices.setdefault(other, provider.prices[name])
    return prices


def _tariff(price: ModelPrice) -> Flat:
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    return Flat(
        input=nano(price.input),
        output=nano(price.output),
        cached_input=nano(cached),
        cache_write=nano(written),
        cache_write_1h=nano(written),
        reasoning=nano(price.output),
        premiums=_premiums(price, Rates(nano(price.input), nano(cached), nano(price.output))),
    )


def _premiums(price: ModelPrice, text: Rates) -> Premiums:
    return Premiums(
        text,
        text.beside(_own(price.input_audio), _own(price.cached_audio), _own(price.output_audio)),
        text.beside(_own(price.input_image), _own(price.cached_image), _own(price.output_image)),
        web_search=nano(price.web_search) // 1000,
    )


def _own(price: float | None) -> int | None:
    return None if price is None else nano(price)
