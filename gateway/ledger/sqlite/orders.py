"""What users can be ordered by, in SQL."""

ORDERS = {
    "user": "user",
    "cost": "cost",
    "requests": "requests",
    "tokens": "(prompt_tokens + completion_tokens)",
    "errors": "errors",
    "flags": "flags",
    "active_days": "active_days",
    "last_seen": "last_seen",
    "requests_per_day": "(requests * 1.0 / active_days)",
    "tokens_per_request": "((prompt_tokens + completion_tokens) * 1.0 / requests)",
    "latency": "(latency_ms * 1.0 / requests)",
}
"""What users of a month are ordered by. Versions 2 and 3 made the indexes, which are on these very
expressions: another order takes a migration of its own, and a copy of these for those two."""
