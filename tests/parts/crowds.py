"""Calls of many users over many days, random but always the same ones."""

import random

from gateway.calendar import first_day, month_of
from gateway.generation import Flag, Generation, Usage
from tests.parts.generations import DAY, MICROSECONDS, generation

FLAG = Flag("flagged", "said something")

ORDERS = ("cost", "requests", "tokens", "errors", "flags")
"""Of users over any range of days."""

NEXT_MONTH = first_day(month_of(DAY) + 1)
RANGES = {
    "a day": (DAY + 9, DAY + 9),
    "a week": (DAY + 3, DAY + 9),
    "over the end of a month": (NEXT_MONTH - 4, NEXT_MONTH + 4),
    "a month": (NEXT_MONTH, first_day(month_of(DAY) + 2) - 1),
    "a month and some days": (NEXT_MONTH - 5, first_day(month_of(DAY) + 2) + 3),
    "all": (0, 99_999),
    "none": (DAY + 500, DAY + 600),
}
"""Days that the crowd calls on: first and last."""


def crowd(size: int = 400, days: int = 75, users: int = 40, seed: int = 7) -> list[Generation]:
    """Two tenants with users of the same names, calls without one, many equals in every count."""
    chance = random.Random(seed)
    names = (None, "Zoë", "a/b?c", "%:", *(f"user_{number}" for number in range(users)))
    weights = [1 / place for place in range(1, len(names) + 1)]
    return [
        _call(number, chance, chance.choices(names, weights)[0], days) for number in range(size)
    ]


def _call(number: int, chance: random.Random, user: str | None, days: int) -> Generation:
    outcome = chance.choice(("ok", "ok", "ok", "cancelled", "failed"))
    provider = chance.choice(("a", "b", None))
    moved = chance.random() < 0.1
    day = DAY + chance.randrange(days)
    return generation(
        number,
        day=day,
        created_at=day * MICROSECONDS + chance.randrange(24) * 3_600_000_000 + number // 3,
        tenant=chance.choice(("app", "app", "other")),
        user=user,
        model=chance.choice(("small", "small", "large", None)),
        provider=provider,
        route=chance.choice(("home", "home", "spill", "failover")) if provider else None,
        status=chance.choice((200, 200, 499, 503)),
        outcome=outcome,
        cost=chance.choice((0, 7, 7, 1000, 12_345)),
        latency_ms=chance.randrange(50),
        usage=Usage(prompt_tokens=chance.randrange(3), completion_tokens=5),
        flags=(FLAG,) * chance.choice((0, 0, 0, 0, 1, 2)),
        moved_from="c" if moved else None,
        move_cost=chance.randrange(9) if moved else 0,
        upstream_id=f"up-{number}" if provider else None,
    )
