"""Daily rows."""

from collections.abc import Sequence

from gateway.ledger.redis import periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.store import ActivityQuery, ActivityRow, Counts

Row = tuple[int, str, str]
"""Minus the day, model, provider: in the order rows are told."""


async def activity(client: Client, shards: Shards, query: ActivityQuery) -> Sequence[ActivityRow]:
    """Out of the totals, or out of the hashes of single users."""
    days = await periods.days(client, shards, query.since, query.until, query.tenants)
    if query.by_user or query.user is not None:
        return await _by_user(client, await _users(client, shards, days, query.user))
    hashes = await client.ask([("HGETALL", day.totals) for day in days])
    sums: dict[Row, list[Counts]] = {}
    for day, fields in zip(days, hashes, strict=True):
        for (model, provider), counts in periods.rows(fields).items():
            sums.setdefault((-day.number, model, provider), []).append(counts)
    return [
        ActivityRow(
            day=-day,
            model=model or None,
            provider=provider or None,
            counts=periods.total(sums[day, model, provider]),
        )
        for day, model, provider in sorted(sums)
    ]


async def _users(
    client: Client, shards: Shards, days: Sequence[Part], user: str | None
) -> list[tuple[Part, str]]:
    if user is not None:
        return [(day, user) for day in days if shards.of(day.tenant, user) is day.names]
    return await all_users(client, days)


async def all_users(client: Client, parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """Each part with each user in it."""
    boards = await client.ask([("ZRANGE", part.board("requests"), 0, -1) for part in parts])
    return [
        (part, user.decode()) for part, users in zip(parts, boards, strict=True) for user in users
    ]


async def _by_user(client: Client, users: Sequence[tuple[Part, str]]) -> list[ActivityRow]:
    hashes = await client.ask([("HGETALL", day.user(user)) for day, user in users])
    found = [
        (-day.number, model, provider, user, day.tenant, counts)
        for (day, user), fields in zip(users, hashes, strict=True)
        for (model, provider), counts in periods.rows(fields).items()
    ]
    return [
        ActivityRow(
            day=-day,
            model=model or None,
            provider=provider or None,
            counts=counts,
            tenant=tenant,
            user=user or None,
        )
        for day, model, provider, user, tenant, counts in sorted(found, key=lambda row: row[:5])
    ]
