"""The `usage` object of every API, as one record.

Three families, told apart by their keys:

- Chat Completions, Completions, Embeddings: `prompt_tokens`, `completion_tokens`
  (openai `types/completion_usage.py`). Cache hits stand beside them in DeepSeek's
  `prompt_cache_hit_tokens`, Moonshot's `cached_tokens`, Databricks' `cache_read_input_tokens`.
- Responses, images, audio: `input_tokens`, `output_tokens` (openai `types/responses/`).
- Messages: `input_tokens` without what was read from or written to the cache
  (anthropic `types/usage.py`: total input is the sum of the three), and `thinking_tokens` for
  reasoning.

A count that is not a whole number from 0 to a billion is no count and reads as absent, and so is a
cost of more than 10,000 USD: sums over many calls must fit into the store's 64 bits.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from gateway.generation import Usage

_MAX_TOKENS: Final = 1_000_000_000
_MAX_DOLLARS: Final = 10_000


def read_usage(usage: object) -> Usage | None:
    """The counts in a decoded `usage` value; None when it holds none."""
    if not isinstance(usage, dict):
        return None
    return _prompt_style(usage) or _input_style(usage) or _total_alone(usage)


def read_cost(usage: object) -> int | None:
    """`usage.cost`, in USD, as nano-dollars rounded half up; None when it holds no amount.

    Perplexity's is an object with a `total_cost`. OpenRouter's is, with `is_byok`, its fee alone:
    what the provider behind it takes for a key of one's own is an `upstream_inference_cost`
    (openrouter.ai/docs/cookbook/administration/usage-accounting).
    """
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    amount = _amount(cost.get("total_cost") if isinstance(cost, dict) else cost)
    if amount is None or usage.get("is_byok") is not True:
        return amount
    upstream = _amount((_part(usage, "cost_details") or {}).get("upstream_inference_cost"))
    return None if upstream is None else amount + upstream


def _amount(dollars: object) -> int | None:
    """A float is taken by its shortest decimal form, which is what the upstream wrote."""
    if dollars is None or isinstance(dollars, bool) or not isinstance(dollars, int | float):
        return None
    if not 0 <= dollars <= _MAX_DOLLARS:
        return None
    return int((Decimal(str(dollars)) * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


def _total_alone(usage: dict[str, Any]) -> Usage | None:
    total = _count(usage, "total_tokens")
    return None if total is None else Usage(prompt_tokens=total)


def _prompt_style(usage: dict[str, Any]) -> Usage | None:
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None and completion is None:
        return None
    details = _part(usage, "prompt_tokens_details")
    cached = (
        _count(details, "cached_tokens")
        or _count(usage, "prompt_cache_hit_tokens")
        or _count(usage, "cached_tokens")
        or _count(usage, "cache_read_input_tokens")
        or 0
    )
    reasoning = _count(_part(usage, "completion_tokens_details"), "reasoning_tokens") or 0
    written = _count(details, "cache_write_tokens") or 0
    if completion is not None:
        # xAI and Gemini count reasoning beside the completion, which only the total tells; Gemini
        # does not name it (discuss.ai.google.dev/t/127400). So might others with the cache.
        beside = (_count(usage, "total_tokens") or 0) - (prompt or 0) - completion
        if beside > 0 and reasoning in (0, beside) and beside != cached + written:
            completion, reasoning = completion + beside, beside
    return _usage(prompt or 0, completion or 0, reasoning, cached, written)


def _input_style(usage: dict[str, Any]) -> Usage | None:
    fresh, completion = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if fresh is None and completion is None:
        return None
    beside_read = _count(usage, "cache_read_input_tokens") or 0
    beside_written = _count(usage, "cache_creation_input_tokens") or 0
    details = _part(usage, "input_tokens_details")
    output = _part(usage, "output_tokens_details")
    reasoning = _count(output, "reasoning_tokens") or _count(output, "thinking_tokens") or 0
    return _usage(
        (fresh or 0) + beside_read + beside_written,
        completion or 0,
        reasoning,
        beside_read + (_count(details, "cached_tokens") or 0),
        beside_written + (_count(details, "cache_write_tokens") or 0),
        _count(_part(usage, "cache_creation"), "ephemeral_1h_input_tokens") or 0,
    )


def _usage(
    prompt: int, completion: int, reasoning: int, cached: int, written: int, written_1h: int = 0
) -> Usage:
    """A part is never larger than its whole, whatever the upstream says."""
    cached = min(cached, prompt)
    reasoning, written = min(reasoning, completion), min(written, prompt - cached)
    # By position, which takes half the time.
    return Usage(prompt, completion, reasoning, cached, written, False, min(written_1h, written))


def _part(usage: dict[str, Any], name: str) -> dict[str, Any] | None:
    part = usage.get(name)
    return part if isinstance(part, dict) else None


def _count(counts: dict[str, Any] | None, name: str) -> int | None:
    value = None if counts is None else counts.get(name)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= _MAX_TOKENS else None
    is_whole = isinstance(value, float) and value.is_integer() and 0 <= value <= _MAX_TOKENS
    return int(value) if is_whole else None
