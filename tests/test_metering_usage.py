"""Usage as every API spells it, brought to one form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Usage
from gateway.metering.usage import read_cost, read_usage


def test_chat_usage() -> None:
    """Chat Completions: details are parts of the two counts."""
    usage = {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "cache_write_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    assert read_usage(usage) == Usage(2006, 300, 100, 1920, 64)


def test_responses_usage() -> None:
    """Responses: the same under the names input and output."""
    usage = {
        "input_tokens": 75,
        "output_tokens": 1186,
        "input_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 8},
        "output_tokens_details": {"reasoning_tokens": 1024},
    }
    assert read_usage(usage) == Usage(75, 1186, 1024, 32, 8)


def test_messages_usage() -> None:
    """Messages: what the cache gave and took is beside the input, and is added to it."""
    usage = {
        "input_tokens": 21,
        "output_tokens": 393,
        "cache_read_input_tokens": 188_086,
        "cache_creation_input_tokens": 500,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100},
        "output_tokens_details": {"thinking_tokens": 300},
    }
    expected = Usage(21 + 188_086 + 500, 393, 300, 188_086, 500, cache_write_1h_tokens=100)
    assert read_usage(usage) == expected


def test_what_it_took_to_compact_the_context() -> None:
    """Messages: it is in no other count (anthropic `types/beta/beta_usage.py`), unlike the turns
    of a server tool's loop."""
    usage = {
        "input_tokens": 21,
        "output_tokens": 393,
        "cache_read_input_tokens": 8000,
        "cache_creation_input_tokens": 500,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100},
    }
    compaction = {
        "type": "compaction",
        "input_tokens": 3000,
        "output_tokens": 700,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 60,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 40},
    }
    counted = Usage(8521, 393, 0, 8000, 500, cache_write_1h_tokens=100)
    for iterations in (None, 5, [], [5, {}], [{**usage, "type": "message"}]):
        assert read_usage({**usage, "iterations": iterations}) == counted
    both = read_usage({**usage, "iterations": [compaction, {**usage, "type": "message"}]})
    assert both == Usage(8521 + 5060, 1093, 0, 10_000, 560, cache_write_1h_tokens=140)
    assert read_usage({"iterations": [{**usage, "type": "message"}]}) is None


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        *(("flex", "flex"), ("priority", "priority"), ("x" * 64, "x" * 64)),
        *(("auto", None), ("default", None), ("standard", None), ("on_demand", None)),
        *((None, None), ("", None), (5, None), (["flex"], None), ("x" * 65, None)),
    ],
)
def test_service_tier(told: object, tier: str | None) -> None:
    """OpenAI's stands beside the usage, Anthropic's in it, and its fast mode as `speed`; the usual
    one, and what is no name, is none."""
    usage = {"input_tokens": 21, "output_tokens": 393}
    assert read_usage(usage, None, told) == Usage(21, 393, service_tier=tier)
    for within in ({"speed": told}, {"service_tier": told, "speed": "standard"}):
        assert read_usage({**usage, **within}) == Usage(21, 393, service_tier=tier)


@pytest.mark.parametrize(
    "hits",
    [
        {"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        {"cached_tokens": 64},
        {"cache_read_input_tokens": 64, "prompt_tokens_details": None},
    ],
    ids=["DeepSeek", "Moonshot", "Databricks"],
)
def test_cache_hits_beside_the_counts(hits: dict[str, Any]) -> None:
    """Hits are a part of the prompt, whatever they are called."""
    usage = {"prompt_tokens": 100, "completion_tokens": 5, **hits}
    assert read_usage(usage) == Usage(100, 5, 0, 64)


def test_reasoning_counted_beside_the_completion_is_added_to_it() -> None:
    """xAI: the total tells that 317 reasoning tokens are not in the 2 completion tokens."""
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 2,
        "total_tokens": 331,
        "completion_tokens_details": {"reasoning_tokens": 317},
    }
    assert read_usage(usage) == Usage(12, 319, 317)


def test_reasoning_that_only_the_total_tells_is_added_to_the_completion() -> None:
    """Gemini: what the total has above both counts was thought; nothing else is taken for it."""
    counts = {"prompt_tokens": 9, "completion_tokens": 3}
    assert read_usage({**counts, "total_tokens": 105}) == Usage(9, 96, 93)
    assert read_usage({**counts, "total_tokens": 10}) == Usage(9, 3)
    named = {"completion_tokens_details": {"reasoning_tokens": 2}}
    assert read_usage({**counts, **named, "total_tokens": 105}) == Usage(9, 3, 2)
    assert read_usage({"prompt_tokens": 9, "total_tokens": 12}) == Usage(9)
    cached = {"prompt_tokens_details": {"cached_tokens": 5}}
    assert read_usage({**counts, **cached, "total_tokens": 17}) == Usage(9, 3, 0, 5)


@pytest.mark.parametrize("usage", [{"prompt_tokens": 8, "total_tokens": 8}, {"total_tokens": 8}])
def test_embeddings_usage(usage: dict[str, int]) -> None:
    """Embeddings have no completion; some servers send the total alone."""
    assert read_usage(usage) == Usage(8)


def test_explicit_zeros_are_counts() -> None:
    """A usage of zeros is a usage."""
    assert read_usage({"prompt_tokens": 0, "completion_tokens": 0}) == Usage()


@pytest.mark.parametrize(
    "usage",
    [None, 3, "5 tokens", [], {}, {"type": "duration", "seconds": 3}, {"prompt_tokens": None}],
)
def test_what_holds_no_count_is_absent(usage: object) -> None:
    """Null, another type, or an object without token counts is no usage."""
    assert read_usage(usage) is None


@pytest.mark.parametrize("count", [True, -1, "7", 1.5, 10**9 + 1, None, [], {}])
def test_a_count_that_is_none_reads_as_absent(count: object) -> None:
    """One bad count does not take the good ones with it."""
    assert read_usage({"prompt_tokens": 9, "completion_tokens": count}) == Usage(9)
    assert read_usage({"input_tokens": count, "output_tokens": 9}) == Usage(0, 9)


def test_a_part_is_never_larger_than_its_whole() -> None:
    """Contradictory counts are cut to size, so that no price goes below zero."""
    details = {"cached_tokens": 80, "cache_write_tokens": 90}
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": details}
    assert read_usage(usage) == Usage(100, 1, 0, 80, 20)
    for_an_hour = {"ephemeral_1h_input_tokens": 30}
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_creation": for_an_hour}
    assert read_usage(usage) == Usage(21, 0, 0, 0, 20, cache_write_1h_tokens=20)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    [
        *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details"),
        *("input_tokens", "output_tokens", "input_tokens_details", "cache_read_input_tokens"),
        *("cached_tokens", "cost", "cache_creation_input_tokens", "cache_creation"),
        *("ephemeral_1h_input_tokens", "is_byok", "cost_details", "upstream_inference_cost"),
        *("iterations", "speed", "service_tier"),
    ]
)


objects = st.dictionaries(names, json_values)
compactions = st.lists(objects.map(lambda each: {**each, "type": "compaction"}))


@pytest.mark.heavy
@given(st.dictionaries(names, json_values | objects | compactions))
def test_no_usage_object_is_too_strange(usage: dict[str, Any]) -> None:
    """Whatever JSON an upstream sends, reading it neither raises nor breaks the record's rules."""
    read_cost(usage)
    read = read_usage(usage)
    if read is not None:
        assert 0 <= read.cached_tokens + read.cache_write_tokens <= read.prompt_tokens
        assert 0 <= read.reasoning_tokens <= read.completion_tokens
        assert 0 <= read.cache_write_1h_tokens <= read.cache_write_tokens


@pytest.mark.parametrize(
    ("cost", "nano"),
    [(0.00014, 140_000), (0, 0), (0.0, 0), (1, 10**9), (0.1 + 0.2, 300_000_000), (5e-10, 1)],
)
def test_cost_in_nano_dollars(cost: float, nano: int) -> None:
    """Dollars to the nearest nano-dollar, half up, without the noise of binary fractions."""
    assert read_cost({"cost": cost}) == nano


@pytest.mark.parametrize("cost", [None, True, -0.1, "0.1", {}, 10_000.01, 1e300, float("nan")])
def test_a_cost_that_is_no_amount_is_absent(cost: object) -> None:
    """Only an amount from 0 to 10,000 dollars is a cost."""
    assert read_cost({"cost": cost}) is None
    assert read_cost(cost) is None


def test_the_fee_for_a_key_of_ones_own_is_not_the_whole_cost() -> None:
    """OpenRouter: what the provider takes comes on top of the fee, with `is_byok` alone."""
    usage = {"cost": 0.05, "cost_details": {"upstream_inference_cost": 1}}
    assert read_cost({**usage, "is_byok": True}) == 1_050_000_000
    assert read_cost({**usage, "is_byok": False}) == 50_000_000
    assert read_cost({"cost": 0, "is_byok": True, "cost_details": None}) is None


def test_a_cost_in_parts() -> None:
    """Perplexity: the total holds what searching cost."""
    cost = {"input_tokens_cost": 0.0, "request_cost": 0.005, "total_cost": 0.00515}
    assert read_cost({"cost": cost}) == 5_150_000


@pytest.mark.parametrize(
    ("ticks", "nano"),
    [
        *((37_756_000, 3_775_600), (5, 1), (4, 0), (0, 0), (10**14, 10**13), (20.0, 2)),
        *((-1, None), (10**14 + 1, None), (True, None), ("20", None), ([], None), (None, None)),
    ],
)
def test_a_cost_in_ticks(ticks: object, nano: int | None) -> None:
    """xAI: ten thousand million are a dollar, with or without tokens beside them."""
    assert read_cost({"cost_in_usd_ticks": ticks}) == nano
    assert read_cost({"prompt_tokens": 9, "cost_in_usd_ticks": ticks, "cost": 2}) == 2 * 10**9


def test_names_without_a_count_do_not_hide_those_with_one() -> None:
    """Some gateways fill in one family of names and leave the others null."""
    usage = {"prompt_tokens": None, "completion_tokens": None, "input_tokens": 7}
    assert read_usage(usage) == Usage(prompt_tokens=7)
    assert read_usage({"prompt_tokens": None, "total_tokens": 9}) == Usage(prompt_tokens=9)
