"""The `usage` object of every API, as one record.

Three families, told apart by their keys:

- Chat Completions, Completions, Embeddings: `prompt_tokens`, `completion_tokens`
  (openai `types/completion_usage.py`). DeepSeek puts cache hits in `prompt_cache_hit_tokens`.
- Responses, images, audio: `input_tokens`, `output_tokens` (openai `types/responses/`).
- Messages: `input_tokens` without what was read from or written to the cache
  (anthropic `types/message_delta_usage.py`: total input is the sum of the three).

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

    A float is taken by its shortest decimal form, which is what the upstream wrote.
    """
    cost = usage.get("cost") if isinstance(usage, dict) else None
    if cost is None or isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    if not 0 <= cost <= _MAX_DOLLARS:
        return None
    return int((Decimal(str(cost)) * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


def _total_alone(usage: dict[str, Any]) -> Usage | None:
    total = _count(usage, "total_tokens")
    return None if total is None else Usage(prompt_tokens=total)


def _prompt_style(usage: dict[str, Any]) -> Usage | None:
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None and completion is None:
        return None
    details = _part(usage, "prompt_tokens_details")
    cached = _count(details, "cached_tokens")
    if cached is None:
        cached = _count(usage, "prompt_cache_hit_tokens")
    reasoning = _count(_part(usage, "completion_tokens_details"), "reasoning_tokens") or 0
    # xAI counts reasoning beside the completion, which only the total tells.
    if reasoning and usage.get("total_tokens") == (prompt or 0) + (completion or 0) + reasoning:
        completion = (completion or 0) + reasoning
    written = _count(details, "cache_write_tokens") or 0
    return _usage(prompt or 0, completion or 0, reasoning, cached or 0, written)


def _input_style(usage: dict[str, Any]) -> Usage | None:
    fresh, completion = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if fresh is None and completion is None:
        return None
    beside_read = _count(usage, "cache_read_input_tokens") or 0
    beside_written = _count(usage, "cache_creation_input_tokens") or 0
    details = _part(usage, "input_tokens_details")
    reasoning = _count(_part(usage, "output_tokens_details"), "reasoning_tokens") or 0
    return _usage(
        (fresh or 0) + beside_read + beside_written,
        completion or 0,
        reasoning,
        beside_read + (_count(details, "cached_tokens") or 0),
        beside_written + (_count(details, "cache_write_tokens") or 0),
    )


def _usage(prompt: int, completion: int, reasoning: int, cached: int, written: int) -> Usage:
    """A part is never larger than its whole, whatever the upstream says."""
    cached = min(cached, prompt)
    reasoning, written = min(reasoning, completion), min(written, prompt - cached)
    return Usage(prompt, completion, reasoning, cached, written)


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
