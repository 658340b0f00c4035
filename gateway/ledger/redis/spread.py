"""How a month's users are spread, out of the counts of users that each of its parts has."""

from collections import Counter

from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.spread import Bar, Spread


async def spread(
    client: Client, shards: Shards, month: int, tenants: frozenset[str] | None
) -> Spread:
    """See Store."""
    parts = await periods.months(client, shards, month, tenants)
    hashes = await client.ask([("HGETALL", part.spread) for part in parts])
    bars: dict[str, Counter[int]] = {"requests": Counter(), "cost": Counter()}
    for fields in hashes:
        for field, users in fields.items():
            measure, bar = keys.split(field)
            bars[measure][int(bar)] += int(users)
    return Spread(requests=_bars(bars["requests"]), cost=_bars(bars["cost"]))


def _bars(users: Counter[int]) -> tuple[Bar, ...]:
    return tuple(Bar.of(number, users[number]) for number in sorted(+users))
