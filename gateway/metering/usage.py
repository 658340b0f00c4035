"""The `usage` object of every API, as one record.

Three families, told apart by their keys:

- Chat Completions, Completions, Embeddings: `prompt_tokens`, `completion_tokens`
  (openai `types/completion_usage.py`). Cache hits stand beside them in DeepSeek's
  `prompt_cache_hit_tokens`, Moonshot's `cached_tokens`, Databricks' `cache_read_input_tokens`.
- Responses, images, audio: `input_tokens`, `output_tokens` (openai `types/responses/`).
- Messages: `input_tokens` without what was read from or written to the cache
  (anthropic `types/usage.py`: total input is the sum of the three), and `thinking_tokens` for
  reasoning. What it took to compact the context is among the `iterations` alone. The service tier
  is within, and the fast mode is a `speed`.

A count that is not a whole number from 0 to a billion is no count and reads as absent, and so is a
cost of more than 10,000 USD: sums over many calls must fit into the store's 64 bits.
"""

from typing import Final

from msgspec.structs import replace

from gateway.generation import Usage
from gateway.metering.extras import with_extras
from gateway.metering.json_object import JsonObject, count, part
from gateway.money import nano

_ABSENT: Final = -1
_MAX_DOLLARS: Final = 10_000
_TICKS: Final = 10**10
"""Those of xAI in a dollar: docs.x.ai/developers/cost-tracking."""

_LONGEST_TIER: Final = 64

_USUAL_TIERS = frozenset({"", "auto", "default", "on_demand", "standard"})
"""What OpenAI, Groq and Anthropic call the service tier that costs what is usual."""

_COUNTS = (
    *("input_tokens", "output_tokens"),
    *("cache_read_input_tokens", "cache_creation_input_tokens"),
)
_FOR_AN_HOUR: Final = "ephemeral_1h_input_tokens"


def read_usage(
    usage: object, tool_usage: object = None, service_tier: object = None
) -> Usage | None:
    """The counts in a decoded `usage` value; None when it holds none.

    `tool_usage` and `service_tier` stand beside that of a response (openai
    `types/responses/response.py`): how often it searched the web, and which tier it used.
    """
    if not isinstance(usage, dict):
        return None
    found = _prompt_style(usage) or _input_style(usage, tool_usage) or _total_alone(usage)
    tier = _unusual(service_tier)
    return found if found is None or tier is None else replace(found, service_tier=tier)


def read_cost(usage: object) -> int | None:
    """`usage.cost`, in USD, as nano-dollars rounded half up; None when it holds no amount.

    Perplexity's is an object with a `total_cost`, xAI has `cost_in_usd_ticks` in its place.
    OpenRouter's is, with `is_byok`, its fee alone: what the provider behind it takes for a key of
    one's own is an `upstream_inference_cost`
    (openrouter.ai/docs/cookbook/administration/usage-accounting).
    """
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    if cost is None:
        return _amount(usage.get("cost_in_usd_ticks"), _TICKS)
    amount = _amount(cost.get("total_cost") if isinstance(cost, dict) else cost)
    if amount is None or usage.get("is_byok") is not True:
        return amount
    upstream = _amount((part(usage, "cost_details") or {}).get("upstream_inference_cost"))
    return None if upstream is None else amount + upstream


def _amount(cost: object, in_a_dollar: int = 1) -> int | None:
    """`cost`, of which so many are a dollar."""
    if cost is None or isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return nano(cost / in_a_dollar) if 0 <= cost <= _MAX_DOLLARS * in_a_dollar else None


def _unusual(tier: object) -> str | None:
    if not isinstance(tier, str) or tier in _USUAL_TIERS or len(tier) > _LONGEST_TIER:
        return None
    return tier


def _total_alone(usage: JsonObject) -> Usage | None:
    total = count(usage, "total_tokens", _ABSENT)
    return None if total == _ABSENT else Usage(prompt_tokens=total)


def _prompt_style(usage: JsonObject) -> Usage | None:
    prompt = count(usage, "prompt_tokens", _ABSENT)
    completion = count(usage, "completion_tokens", _ABSENT)
    if prompt == completion == _ABSENT:
        return None
    total = count(usage, "total_tokens", _ABSENT)
    details = part(usage, "prompt_tokens_details")
    output = part(usage, "completion_tokens_details")
    cached, searches = count(details, "cached_tokens"), 0
    usual = (prompt >= 0) + (completion >= 0) + (total >= 0)
    if len(usage) > usual + (details is not None) + (output is not None):
        # There is more than OpenAI's own; to look for each of these takes time.
        cached = cached or _cached_beside(usage)
        searches = _searches(usage)
    reasoning = count(output, "reasoning_tokens")
    written = count(details, "cache_write_tokens")
    prompt = max(0, prompt)
    if completion != _ABSENT:
        # xAI and Gemini count reasoning beside the completion, which only the total tells; Gemini
        # does not name it (discuss.ai.google.dev/t/127400). So might others with the cache.
        beside = total - prompt - completion
        if beside > 0 and reasoning in (0, beside) and beside != cached + written:
            completion, reasoning = completion + beside, beside
    counted = _usage(prompt, max(0, completion), reasoning, cached, written)
    return with_extras(counted, details, output, searches)


def _cached_beside(usage: JsonObject) -> int:
    return (
        count(usage, "prompt_cache_hit_tokens")
        or count(usage, "cached_tokens")
        or count(usage, "cache_read_input_tokens")
    )


def _input_style(usage: JsonObject, tool_usage: object) -> Usage | None:
    if "iterations" in usage:
        usage = _with_compactions(usage)
    fresh = count(usage, "input_tokens", _ABSENT)
    completion = count(usage, "output_tokens", _ABSENT)
    if fresh == completion == _ABSENT:
        return None
    details = part(usage, "input_tokens_details") or part(usage, "input_token_details")
    output = part(usage, "output_tokens_details")
    read = written = written_1h = searches = 0
    tier: str | None = None
    usual = (fresh >= 0) + (completion >= 0) + ("total_tokens" in usage)
    if len(usage) > usual + (details is not None) + (output is not None):
        read = count(usage, "cache_read_input_tokens")
        written = count(usage, "cache_creation_input_tokens")
        written_1h = count(part(usage, "cache_creation"), _FOR_AN_HOUR)
        searches = _searches(usage)
        tier = _unusual(usage.get("speed")) or _unusual(usage.get("service_tier"))
    if isinstance(tool_usage, dict):
        searches += count(part(tool_usage, "web_search"), "num_requests")
    if output is None and details is not None and "image_tokens" in details:
        # All are the image's, where nothing else is said (openai `types/image_gen_completed_event`)
        output = {"image_tokens": completion}
    counted = _usage(
        max(0, fresh) + read + written,
        max(0, completion),
        count(output, "reasoning_tokens") or count(output, "thinking_tokens"),
        read + count(details, "cached_tokens"),
        written + count(details, "cache_write_tokens"),
        written_1h,
        tier,
    )
    return with_extras(counted, details, output, searches)


def _with_compactions(usage: JsonObject) -> JsonObject:
    """The counts, and those of every time that the context was summed up, which are not in them
    (anthropic `types/beta/beta_usage.py`)."""
    iterations = usage["iterations"]
    if not isinstance(iterations, list):
        return usage
    parts = [each for each in iterations if isinstance(each, dict)]
    parts = [each for each in parts if each.get("type") == "compaction"]
    if not parts:
        return usage
    parts.append(usage)
    sums: JsonObject = {name: sum([count(each, name) for each in parts]) for name in _COUNTS}
    hours = [count(part(each, "cache_creation"), _FOR_AN_HOUR) for each in parts]
    return {**usage, **sums, "cache_creation": {_FOR_AN_HOUR: sum(hours)}}


def _searches(usage: JsonObject) -> int:
    """Those of Anthropic (`types/server_tool_usage.py`), or of OpenRouter."""
    tools = part(usage, "server_tool_use") or part(usage, "server_tool_use_details")
    return 0 if tools is None else count(tools, "web_search_requests")


def _usage(
    prompt: int,
    completion: int,
    reasoning: int,
    cached: int,
    written: int,
    written_1h: int = 0,
    tier: str | None = None,
) -> Usage:
    """A part is never larger than its whole, whatever the upstream says."""
    cached = min(cached, prompt)
    reasoning, written = min(reasoning, completion), min(written, prompt - cached)
    written_1h = min(written_1h, written)
    # By position, which takes half the time.
    return Usage(prompt, completion, reasoning, cached, written, False, written_1h, None, tier)
