"""What calls cost: by the provider's figure, by the configuration, by the price list."""

import logging
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider
from genai_prices.types import Usage as CatalogueUsage
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway import config
from gateway.generation import Usage
from gateway.pricing.prices import Prices

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 1, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, tzinfo=UTC)


def provider(name: str = "p", url: str = "http://10.0.0.1/v1", **fields: object) -> config.Provider:
    return config.Provider(name=name, base_url=url, **fields)  # type: ignore[arg-type]


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


OPENAI = provider("openai", "https://api.openai.com/v1")
ANTHROPIC = provider("anthropic", "https://api.anthropic.com/v1")
DEEPSEEK = provider("deepseek", "https://api.deepseek.com/v1")
MINI = config.ModelPrice(input=0.15, output=0.60, cached_input=0.075, cache_write=0.1875)


def test_configured_prices_are_exact() -> None:
    """Fresh, cached, written and generated tokens each cost their own price."""
    prices = Prices([provider(prices={"m": MINI})])
    usage = Usage(
        prompt_tokens=1000, completion_tokens=200, cached_tokens=600, cache_write_tokens=100
    )
    total = 300 * 150 + 600 * 75 + 100 * 187.5 + 200 * 600
    assert prices.cost("p", "m", usage, None) == (int(total), 600 * 75 - 3750)


def test_discount_is_negative_when_writes_cost_more_than_hits_save() -> None:
    """A cache write above the input price takes from the discount."""
    prices = Prices([provider(prices={"m": MINI})])
    usage = Usage(prompt_tokens=1000, cache_write_tokens=1000)
    assert prices.cost("p", "m", usage, None) == (187_500, -37_500)


def test_absent_cache_prices_are_the_input_price() -> None:
    """Without cache prices a cached token saves nothing and a written one costs nothing extra."""
    prices = Prices([provider(prices={"m": config.ModelPrice(input=1, output=2)})])
    usage = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4, cache_write_tokens=3)
    assert prices.cost("p", "m", usage, None) == (20_000, 0)


def test_explicit_zero_prices_are_free() -> None:
    """A cached price of 0 is a price, not an absent one."""
    free = config.ModelPrice(input=1, output=0, cached_input=0)
    prices = Prices([provider(prices={"m": free})])
    usage = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=10)
    assert prices.cost("p", "m", usage, None) == (0, 10_000)


@pytest.mark.parametrize(
    ("price", "tokens", "nano"), [(0.0005, 1, 1), (0.0004, 1, 0), (0.1, 3, 300)]
)
def test_rounds_once_half_up(price: float, tokens: int, nano: int) -> None:
    """Half a nano-dollar counts as one; the sum is rounded, not its parts."""
    prices = Prices([provider(prices={"m": config.ModelPrice(input=price, output=price)})])
    assert prices.cost("p", "m", Usage(prompt_tokens=tokens), None)[0] == nano


def test_halves_of_two_parts_add_up_before_rounding() -> None:
    """0.5 + 0.5 nano-dollars are one, not two."""
    prices = Prices([provider(prices={"m": config.ModelPrice(input=0.0005, output=0.0005)})])
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    assert prices.cost("p", "m", usage, None)[0] == 1


def test_cache_writes_for_an_hour_cost_their_own_price() -> None:
    """Claude Haiku 4.5: 1.00 in, 1.25 to write for five minutes, 2.00 for an hour
    (docs.anthropic.com/en/docs/about-claude/pricing); what is configured holds for both."""
    usage = Usage(prompt_tokens=1000, cache_write_tokens=1000, cache_write_1h_tokens=600)
    listed = Prices([ANTHROPIC]).cost("anthropic", "claude-haiku-4-5", usage, None)
    assert listed == (400 * 1250 + 600 * 2000, 1_000_000 - 400 * 1250 - 600 * 2000)
    configured = Prices([provider(prices={"m": MINI})])
    assert configured.cost("p", "m", usage, None) == (187_500, -37_500)


@pytest.mark.parametrize("reported", [0, 12_345])
def test_the_upstream_figure_wins(reported: int) -> None:
    """What the upstream reports is the total, even nothing; the discount is still worked out."""
    prices = Prices([provider(prices={"m": MINI})])
    usage = Usage(prompt_tokens=1000, cached_tokens=1000)
    assert prices.cost("p", "m", usage, reported) == (reported, 75_000)


@pytest.mark.parametrize("written_for", ["fast", "gpt-4.1-nano"])
@pytest.mark.parametrize("passed", ["fast", "gpt-4.1-nano"])
def test_a_price_is_found_by_asked_and_by_upstream_name(written_for: str, passed: str) -> None:
    """Config may price either name of a model, and either name finds it."""
    model = config.Model(name="fast", upstream="gpt-4.1-nano")
    prices = Prices([provider(models=(model,), prices={written_for: MINI})])
    assert prices.cost("p", passed, Usage(prompt_tokens=1000), None)[0] == 150_000


def test_a_price_written_for_a_name_beats_one_for_its_other_name() -> None:
    """Where both names have prices, each name gets its own."""
    model = config.Model(name="fast", upstream="slow")
    both = {"fast": MINI, "slow": config.ModelPrice(input=1, output=1)}
    prices = Prices([provider(models=(model,), prices=both)])
    usage = Usage(prompt_tokens=1000)
    assert prices.cost("p", "fast", usage, None)[0] == 150_000
    assert prices.cost("p", "slow", usage, None)[0] == 1_000_000


def test_prices_belong_to_their_provider() -> None:
    """One provider's configured price says nothing about another's."""
    prices = Prices([provider("a", prices={"m": MINI}), provider("b")])
    assert prices.cost("b", "m", Usage(prompt_tokens=1000), None) == (0, 0)


def test_catalogue_by_host() -> None:
    """gpt-4o-mini at api.openai.com: 0.15 in, 0.075 cached, 0.60 out (openai.com/api/pricing)."""
    usage = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400)
    cost = Prices([OPENAI]).cost("openai", "gpt-4o-mini", usage, None)
    assert cost == (600 * 150 + 400 * 75 + 100 * 600, 400 * 75)


def test_catalogue_by_model_alone() -> None:
    """A model known to the catalogue is priced behind any address."""
    cost = Prices([provider()]).cost("p", "gpt-4o-mini", Usage(prompt_tokens=1000), None)
    assert cost == (150_000, 0)


def test_config_beats_catalogue() -> None:
    """A configured price replaces the list price."""
    own = config.ModelPrice(input=1, output=1)
    prices = Prices([provider(url=OPENAI.base_url, prices={"gpt-4o-mini": own})])
    assert prices.cost("p", "gpt-4o-mini", Usage(prompt_tokens=1), None) == (1000, 0)


@pytest.mark.parametrize(("prompt", "rate"), [(199_999, 3_000), (200_000, 3_000), (200_001, 6_000)])
def test_a_long_prompt_costs_the_higher_tier_for_all_its_tokens(prompt: int, rate: int) -> None:
    """Claude Sonnet 4.5: above 200 000 prompt tokens every token costs the long-context price."""
    cost = Prices([ANTHROPIC]).cost(
        "anthropic", "claude-sonnet-4-5", Usage(prompt_tokens=prompt), None
    )
    assert cost[0] == prompt * rate


def test_a_price_that_depends_on_the_hour_is_looked_up_for_every_call() -> None:
    """DeepSeek was cheaper at night (UTC 16:30 to 00:30); the catalogue keeps both prices."""
    usage = Usage(prompt_tokens=1000)
    day = Prices([DEEPSEEK], at(NOON)).cost("deepseek", "deepseek-chat", usage, None)
    night = Prices([DEEPSEEK], at(MIDNIGHT)).cost("deepseek", "deepseek-chat", usage, None)
    assert night < day


@pytest.mark.parametrize(
    ("tier", "moment", "total"),
    [
        ("flex", AUTUMN, 900_000),
        ("priority", AUTUMN, 3_600_000),
        ("scale", AUTUMN, 1_800_000),
        (None, AUTUMN, 1_800_000),
        ("flex", NOON, 1_800_000),
    ],
)
def test_a_service_tier_has_prices_of_its_own(
    tier: str | None, moment: datetime, total: int
) -> None:
    """gpt-5: half with flex and twice with priority, since the day that the list knows them; what
    it does not know costs what is usual (openai.com/api/pricing)."""
    usage = Usage(1000, 100, cached_tokens=400, service_tier=tier)
    prices = Prices([OPENAI], at(moment))
    assert [prices.cost("openai", "gpt-5", usage, None)[0] for _ in range(2)] == [total, total]


def test_a_configured_price_holds_for_all_service_tiers() -> None:
    """It is what the operator says that the model costs there."""
    prices = Prices([provider(prices={"m": MINI})])
    usage = Usage(1000, service_tier="priority")
    assert prices.cost("p", "m", usage, None) == (150_000, 0)


def test_unknown_models_are_free_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """No price: cost 0, one warning however many calls."""
    prices = Prices([OPENAI])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            cost = prices.cost("openai", "no-such-model", Usage(prompt_tokens=5), None)
            assert cost == (0, 0)
    assert [r.getMessage() for r in caplog.records] == [
        "No price for model 'no-such-model' of provider 'openai': its calls count as free"
    ]


def test_a_call_without_tokens_or_model_warns_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A failed call and one that names no model cost nothing, and that is no news."""
    prices = Prices([OPENAI])
    assert prices.cost("openai", "no-such-model", Usage(), None) == (0, 0)
    assert prices.cost("openai", None, Usage(prompt_tokens=5), None) == (0, 0)
    assert prices.cost("openai", None, Usage(prompt_tokens=5), 7) == (7, 0)
    assert not caplog.records


def test_client_chosen_names_do_not_pile_up(caplog: pytest.LogCaptureFixture) -> None:
    """Neither memory nor the log grows with the number or the length of model names."""
    prices, usage = Prices([provider()]), Usage(prompt_tokens=1)
    for number in range(1100):
        prices.cost("p", f"no-such-model-{number}", usage, None)
    tracemalloc.start()
    for number in range(4000):
        prices.cost("p", f"no-other-model-{number}", usage, None)
        prices.cost("p", f"{number}" + "x" * 10_000, usage, None)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(caplog.records) == 1024
    assert grown < 400_000


def test_a_model_not_sold_by_the_token_has_no_price() -> None:
    """Whisper is sold by the hour, which no usage tells."""
    assert Prices([OPENAI]).per_million("openai", "whisper-1") is None


tokens = st.integers(0, 400_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(tokens), draw(tokens)
    cached = draw(st.integers(0, prompt))
    written = draw(st.integers(0, prompt - cached))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=draw(st.integers(0, completion)),
        cache_write_1h_tokens=draw(st.integers(0, written)),
    )


amounts = st.integers(0, 10**6).map(lambda micros: micros / 1000)


@given(usage=usages(), rates=st.tuples(amounts, amounts, amounts, amounts))
def test_total_plus_discount_is_the_price_without_a_cache(
    usage: Usage, rates: tuple[float, float, float, float]
) -> None:
    """The discount is exactly what the cache changed, to the rounding of each."""
    own = config.ModelPrice(
        input=rates[0], output=rates[1], cached_input=rates[2], cache_write=rates[3]
    )
    prices = Prices([provider(prices={"m": own})])
    cold = Usage(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens)
    total, discount = prices.cost("p", "m", usage, None)
    assert abs(total + discount - prices.cost("p", "m", cold, None)[0]) <= 1


def is_by_token(model: ModelInfo) -> bool:
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else []
    return any(p.input_mtok is not None and p.output_mtok is not None for p in prices)


CATALOGUE = [
    (host, model)
    for host in get_snapshot().providers
    if host.id in ("openai", "anthropic", "google", "perplexity", "mistral")
    for model in host.models
    if is_by_token(model) and host.find_model(model.id) is model
]
HOSTS = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
    "perplexity": "https://api.perplexity.ai",
    "mistral": "https://api.mistral.ai",
}
EVERYONE = Prices([provider(name, url) for name, url in HOSTS.items()])


def by_their_names(usage: Usage) -> CatalogueUsage:
    return CatalogueUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )


@given(entry=st.sampled_from(CATALOGUE), usage=usages())
def test_the_catalogue_is_read_as_its_own_package_reads_it(
    entry: tuple[Provider, ModelInfo], usage: Usage
) -> None:
    """Flat, tiered, per-request, reasoning and one-hour prices agree with genai-prices to the
    nano-dollar."""
    host, model = entry
    theirs = model.calc_price(by_their_names(usage), host).total_price
    ours, _ = EVERYONE.cost(host.id, model.id, usage, None)
    if ours:
        assert abs(ours - theirs * 10**9) <= 1
    else:
        assert not usage.prompt_tokens + usage.completion_tokens or theirs == 0


SERVICE_TIERS = [
    (host, model, name, tier)
    for host in get_snapshot().providers
    if host.id in HOSTS
    for model in host.models
    if host.find_model(model.id) is model
    for variant in model.price_variants or ()
    for name, tier in variant.when.items()
    if name in ("service_tier", "speed")
]


@pytest.mark.parametrize("moment", [NOON, AUTUMN])
@given(entry=st.sampled_from(SERVICE_TIERS), usage=usages())
def test_service_tiers_cost_what_the_lists_own_package_says(
    moment: datetime, entry: tuple[Provider, ModelInfo, str, str], usage: Usage
) -> None:
    """Before and after the day that a tier's prices begin; agreed to the nano-dollar."""
    host, model, name, tier = entry
    theirs = model.calc_price(
        by_their_names(usage), host, genai_request_timestamp=moment, price_context={name: tier}
    ).total_price
    prices = Prices([provider(host.id, HOSTS[host.id])], at(moment))
    ours, _ = prices.cost(host.id, model.id, replace(usage, service_tier=tier), None)
    assert abs(ours - theirs * 10**9) <= 1


@pytest.mark.parametrize(("cached_input", "less"), [(0.5, 500_000), (1, 0), (2, 0)])
def test_what_a_cold_cache_cost(cached_input: float, less: int) -> None:
    """What a warm one would have saved, and nothing where it would have cost more."""
    price = config.ModelPrice(input=1, output=1, cached_input=cached_input)
    prices = Prices([provider(prices={"m": price})])
    assert prices.cold_surcharge("p", "m", Usage(prompt_tokens=1000)) == less


def test_what_it_cost_to_write_a_cold_cache_for_an_hour() -> None:
    """Claude Haiku 4.5: 2.00 instead of 0.10, as nothing would have been written."""
    usage = Usage(prompt_tokens=1000, cache_write_tokens=1000, cache_write_1h_tokens=1000)
    assert Prices([ANTHROPIC]).cold_surcharge("anthropic", "claude-haiku-4-5", usage) == 1_900_000
