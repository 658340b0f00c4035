"""What audio, images and searches of the web cost: by the configuration, by the price list."""

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider
from genai_prices.types import Usage as CatalogueUsage
from hypothesis import given
from hypothesis import strategies as st

from gateway import config
from gateway.generation import Extras, Usage
from gateway.pricing.prices import Prices

HOSTS = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
LISTED = Prices([config.Provider(name=name, base_url=url) for name, url in HOSTS.items()])
AUDIO_PREVIEW = config.ModelPrice(input=2.5, output=10, input_audio=40, output_audio=80)
"""gpt-4o-audio-preview (openai.com/api/pricing)."""
ALL = config.ModelPrice(
    input=5,
    cached_input=1.25,
    output=10,
    input_audio=40,
    cached_audio=2.5,
    output_audio=80,
    input_image=8,
    cached_image=2,
    output_image=32,
    web_search=2.5,
)


def priced(price: config.ModelPrice) -> Prices:
    url = "http://10.0.0.1/v1"
    return Prices([config.Provider(name="p", base_url=url, prices={"m": price})])


def cost(price: config.ModelPrice, usage: Usage) -> tuple[int, int]:
    return priced(price).cost("p", "m", usage, None)


def test_audio_at_its_own_price() -> None:
    """800 of 1000 tokens were heard and 240 of 300 spoken: sixteen and eight times as dear."""
    usage = Usage(1000, 300, extras=Extras(prompt_audio_tokens=800, completion_audio_tokens=240))
    assert cost(AUDIO_PREVIEW, usage) == (200 * 2500 + 800 * 40_000 + 60 * 10_000 + 240 * 80_000, 0)
    assert cost(AUDIO_PREVIEW, Usage(1000, 300)) == (1000 * 2500 + 300 * 10_000, 0)


def test_everything_at_its_own_price() -> None:
    """Fresh and cached tokens of text, audio and images, and three searches at 0.0025 each."""
    extras = Extras(400, 300, 100, 50, 30, 20, web_searches=3)
    usage = Usage(1000, 100, 0, 250, extras=extras)
    text = 200 * 5000 + 100 * 1250 + 50 * 10_000
    audio = 300 * 40_000 + 100 * 2500 + 30 * 80_000
    image = 250 * 8000 + 50 * 2000 + 20 * 32_000
    saved = 100 * 3750 + 100 * 37_500 + 50 * 6000
    assert cost(ALL, usage) == (text + audio + image + 3 * 2_500_000, saved)


@pytest.mark.parametrize(
    ("own", "audio"),
    [
        ({}, (1000, 250, 2000)),
        ({"input_audio": 8}, (8000, 8000, 2000)),
        ({"input_audio": 8, "cached_audio": 0}, (8000, 0, 2000)),
        ({"cached_audio": 3}, (1000, 3000, 2000)),
        ({"output_audio": 0}, (1000, 250, 0)),
    ],
)
def test_what_has_no_price_costs_what_its_whole_does(
    own: dict[str, float], audio: tuple[int, int, int]
) -> None:
    """Audio as text; cached audio as other audio where that has a price, else as cached text. 0 is
    a price."""
    price = config.ModelPrice(input=1, cached_input=0.25, output=2, **own)
    fresh, cached, spoken = audio
    usage = Usage(10, 10, 0, 4, extras=Extras(10, 0, 4, 0, 10, 0))
    total = 6 * fresh + 4 * cached + 10 * spoken
    assert cost(price, usage) == (total, 4 * (fresh - cached))


def test_searches_alone() -> None:
    """They cost what they cost, whatever the tokens do; without a price they are free."""
    usage = Usage(extras=Extras(web_searches=2))
    assert cost(ALL, usage) == (5_000_000, 0)
    assert cost(AUDIO_PREVIEW, usage) == (0, 0)


def test_the_upstream_figure_wins() -> None:
    """It holds what was searched and heard."""
    usage = Usage(10, 10, extras=Extras(10, web_searches=2))
    assert priced(ALL).cost("p", "m", usage, 77) == (77, 0)


def test_what_a_cold_cache_cost() -> None:
    """From a warm one, audio and images would have cost what cached ones do."""
    usage = Usage(1000, 5, extras=Extras(400, 300, 0, 0))
    saved = 300 * 3750 + 400 * 37_500 + 300 * 6000
    assert priced(ALL).cold_surcharge("p", "m", usage) == saved


def test_prices_by_the_list() -> None:
    """gpt-audio (32 and 64), gpt-image-1 (10 to see, 40 to draw) and Claude's searches (10 a
    thousand) by their makers' price lists."""
    heard = Usage(100, 100, extras=Extras(prompt_audio_tokens=90, completion_audio_tokens=80))
    total = 10 * 2500 + 90 * 32_000 + 20 * 10_000 + 80 * 64_000
    assert LISTED.cost("openai", "gpt-audio", heard, None) == (total, 0)
    drawn = Usage(350, 1056, extras=Extras(prompt_image_tokens=323, completion_image_tokens=1056))
    total = 27 * 5000 + 323 * 10_000 + 1056 * 40_000
    assert LISTED.cost("openai", "gpt-image-1", drawn, None) == (total, 0)
    searched = Usage(1000, 0, extras=Extras(web_searches=3))
    total = 1000 * 1000 + 3 * 10_000_000
    assert LISTED.cost("anthropic", "claude-haiku-4-5", searched, None) == (total, 0)


OWN_PRICES = (
    *("input_audio_mtok", "cache_audio_read_mtok", "output_audio_mtok", "web_searches_kcount"),
    *("input_image_mtok", "cache_image_read_mtok", "output_image_mtok"),
)


def has_own_prices(model: ModelInfo) -> bool:
    """Whether it is sold by the token, at one price at all times, and something at its own."""
    price = model.prices
    if not isinstance(price, ModelPrice) or price.input_mtok is None or price.output_mtok is None:
        return False
    return any(getattr(price, name) is not None for name in OWN_PRICES)


CATALOGUE = [
    (host, model)
    for host in get_snapshot().providers
    if host.id in HOSTS
    for model in host.models
    if has_own_prices(model) and host.find_model(model.id) is model
]
tokens = st.integers(0, 100_000)


@given(
    entry=st.sampled_from(CATALOGUE),
    prompt=st.lists(tokens, min_size=6, max_size=6),
    completion=st.lists(tokens, min_size=3, max_size=3),
    searches=st.integers(0, 9),
)
def test_the_list_is_read_as_its_own_package_reads_it(
    entry: tuple[Provider, ModelInfo], prompt: list[int], completion: list[int], searches: int
) -> None:
    """Audio, images, what of them was cached, and searches agree with genai-prices to the
    nano-dollar."""
    host, model = entry
    _, text_cached, audio, audio_cached, image, image_cached = prompt
    written, spoken, drawn = completion
    usage = Usage(
        prompt_tokens=sum(prompt),
        completion_tokens=written + spoken + drawn,
        cached_tokens=text_cached + audio_cached + image_cached,
        extras=Extras(
            prompt_audio_tokens=audio + audio_cached,
            prompt_image_tokens=image + image_cached,
            cached_audio_tokens=audio_cached,
            cached_image_tokens=image_cached,
            completion_audio_tokens=spoken,
            completion_image_tokens=drawn,
            web_searches=searches,
        ),
    )
    theirs = model.calc_price(
        CatalogueUsage(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=usage.cached_tokens,
            output_tokens=usage.completion_tokens,
            input_audio_tokens=audio + audio_cached,
            cache_audio_read_tokens=audio_cached,
            output_audio_tokens=spoken,
            input_image_tokens=image + image_cached,
            cache_image_read_tokens=image_cached,
            output_image_tokens=drawn,
            web_searches=searches,
        ),
        host,
    ).total_price
    ours, _ = LISTED.cost(host.id, model.id, usage, None)
    assert abs(ours - theirs * 10**9) <= 1


amounts = st.integers(0, 10**6).map(lambda micros: micros / 1000)


@given(
    rates=st.lists(amounts, min_size=9, max_size=9),
    fresh=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
    cached=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
)
def test_total_plus_discount_is_the_price_without_a_cache(
    rates: list[float], fresh: list[int], cached: list[int]
) -> None:
    """The discount is exactly what the cache changed, to the rounding of each."""
    names = ("input", "output", "cached_input", "input_audio", "cached_audio", "output_audio")
    images = ("input_image", "cached_image", "output_image")
    price = config.ModelPrice(**dict(zip((*names, *images), rates, strict=True)))
    prompt = sum(fresh) + sum(cached)
    audio, image = fresh[1] + cached[1], fresh[2] + cached[2]
    warm = Usage(prompt, 0, 0, sum(cached), extras=Extras(audio, image, cached[1], cached[2]))
    cold = Usage(prompt, extras=Extras(audio, image))
    total, discount = cost(price, warm)
    assert total >= 0
    assert abs(total + discount - cost(price, cold)[0]) <= 1
