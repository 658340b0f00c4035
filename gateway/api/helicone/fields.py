"""What Helicone calls the things that Hearth records: fields of requests, and of users."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from gateway.ledger.conditions import Measure
from gateway.money import usd

Side = Literal["request", "user"]
"""What a test is about; who the user is can be asked of either."""


OF_REQUESTS: Mapping[str, Callable[[Any], Any]] = {
    "user_id": lambda one: one.user or "",
    "user_user_id": lambda one: one.user or "",
    "request_id": lambda one: one.id,
    "model": lambda one: one.model or "",
    "provider": lambda one: one.provider or "",
    "request_referrer": lambda one: one.referer or "",
    "status": lambda one: one.status,
    "latency": lambda one: one.latency_ms,
    "time_to_first_token": lambda one: one.first_byte_ms or 0,
    "cost": lambda one: usd(one.cost),
    "prompt_tokens": lambda one: one.usage.prompt_tokens,
    "completion_tokens": lambda one: one.usage.completion_tokens,
    "prompt_cache_read_tokens": lambda one: one.usage.cached_tokens,
    "prompt_cache_write_tokens": lambda one: one.usage.cache_write_tokens,
    "total_tokens": lambda one: one.usage.tokens,
    "request_created_at": lambda one: one.created_at,
    "response_created_at": lambda one: one.created_at + one.latency_ms * 1000,
}

MEASURES: Mapping[str, Measure] = {
    "user_id": "user",
    "active_for": "active_days",
    "first_active": "first_seen",
    "last_active": "last_seen",
    "total_requests": "requests",
    "average_requests_per_day_active": "requests_per_day",
    "average_tokens_per_request": "tokens_per_request",
    "total_completion_tokens": "completion_tokens",
    "total_prompt_tokens": "prompt_tokens",
    "cost": "usd",
}
"""What Helicone calls it -> what the ledger does; also the columns of its answers."""

OF_USERS: Mapping[str, Measure] = {
    "user_id": "user",
    **{f"user_{name}": measure for name, measure in MEASURES.items()},
}
FIELDS: Mapping[Side, Mapping[str, object]] = {"request": OF_REQUESTS, "user": OF_USERS}
