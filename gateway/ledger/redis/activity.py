"""Daily and hourly rows, and how many users a day had."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from gateway.ledger.counts import Counts, total
from gateway.ledger.queries import ActivityQuery
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.hashes import Fields, counts_by_row
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part, Place
from gateway.ledger.results import ActivityRow, HourRow

Row = tuple[int, str, str, str, str, str]
"""Minus the day, model, provider, user, tenant, route; tuples sort as rows are returned."""


async def activity(client: Client, shards: Shards, query: ActivityQuery) -> Sequence[ActivityRow]:
    """Out of the totals, or out of the hashes of single users."""
    days = await periods.days(client, shards, query.since, query.until, query.tenants)
    if query.names_users:
        places = await _users(client, shards, days, query.users)
        hashes = await client.ask([("HGETALL", day.user(user)) for day, user in places])
        names = await _names(client, {day for day, _ in places})
    else:
        places = [(day, "") for day in days]
        hashes = await client.ask([("HGETALL", day.totals) for day in days])
        names = {}
    return await asyncio.to_thread(_added_up, query, places, hashes, names)


def _added_up(
    query: ActivityQuery,
    places: Sequence[Place],
    hashes: Sequence[Fields],
    names: Mapping[tuple[Part, bytes], bytes],
) -> Sequence[ActivityRow]:
    """In order. There may be a hundred thousand users, and calls go on meanwhile."""
    sums: dict[Row, list[Counts]] = {}
    for (day, user), fields in zip(places, hashes, strict=True):
        for kept, counts in counts_by_row(fields).items():
            name = names.get((day, kept), kept)
            # A number is left only where the day, and its names with it, was forgotten meanwhile.
            if b":" in name:
                row = _row(query, day, user, *keys.split(name))
                sums.setdefault(row, []).append(counts)
    return [_activity_row(row, total(sums[row])) for row in sorted(sums)]


def _row(query: ActivityQuery, day: Part, user: str, model: str, provider: str, route: str) -> Row:
    tenant = day.tenant if query.names_users or "tenant" in query.by else ""
    return -day.number, model, provider, user, tenant, route if "route" in query.by else ""


def _activity_row(row: Row, counts: Counts) -> ActivityRow:
    day, model, provider, user, tenant, route = row
    return ActivityRow(
        day=-day,
        model=model or None,
        provider=provider or None,
        user=user or None,
        tenant=tenant or None,
        route=route or None,
        counts=counts,
    )


async def _names(client: Client, days: Collection[Part]) -> Mapping[tuple[Part, bytes], bytes]:
    """What the numbers stand for that users' rows have."""
    hashes = await client.ask([("HGETALL", day.rows) for day in days])
    return {
        (day, number): name
        for day, numbers in zip(days, hashes, strict=True)
        for name, number in numbers.items()
    }


async def _users(
    client: Client, shards: Shards, days: Sequence[Part], users: frozenset[str] | None
) -> list[Place]:
    if users is None:
        return await periods.all_users(client, days)
    return periods.on_their_shards(shards, days, users)


async def hours(
    client: Client, shards: Shards, since: int, until: int, tenants: frozenset[str] | None
) -> Sequence[HourRow]:
    """Out of the totals of each hour."""
    found = await periods.hours(client, shards, since, until, tenants)
    hashes = await client.ask([("HGETALL", hour.totals) for hour in found])
    sums: dict[tuple[int, str, str, str], list[Counts]] = {}
    for hour, fields in zip(found, hashes, strict=True):
        for name, counts in counts_by_row(fields).items():
            model, provider, _ = keys.split(name)
            sums.setdefault((-hour.number, hour.tenant, model, provider), []).append(counts)
    return [
        HourRow(
            hour=-hour,
            tenant=tenant,
            model=model or None,
            provider=provider or None,
            counts=total(sums[hour, tenant, model, provider]),
        )
        for hour, tenant, model, provider in sorted(sums)
    ]


async def active_users(
    client: Client, shards: Shards, since: int, until: int, tenants: frozenset[str] | None
) -> Mapping[int, int]:
    """How long the boards of each day are: a user is on one shard only."""
    days = await periods.days(client, shards, since, until, tenants)
    sizes = await client.ask([("ZCARD", day.board("requests")) for day in days])
    users: Counter[int] = Counter()
    for day, size in zip(days, sizes, strict=True):
        users[day.number] += size
    return {day: users[day] for day in users if users[day]}
