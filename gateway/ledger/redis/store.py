"""The store's methods: each hands the client to a function of another module here."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Self

from gateway.config import Retention
from gateway.generation import Generation
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import (
    ActivityQuery,
    GenerationQuery,
    LeaderboardQuery,
    SearchPage,
    UserQuery,
    UserSearch,
)
from gateway.ledger.redis import (
    activity,
    applying,
    erasing,
    expiry,
    generations,
    leaderboard,
    recount,
    search,
    spread,
    users,
)
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.connect import connect
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.lifetimes import lifetimes
from gateway.ledger.results import ActivityRow, Distribution, FoundUsers, HourRow, Recount, UserRow
from gateway.ledger.spread import Spread
from gateway.ledger.store import StoreUnavailable
from gateway.redisurl import Address, BadAddress

_CLUSTER_SHARDS = 16


class RedisStore:
    """A store in Redis, shared by the gateways of any number of machines.

    What was applied is as safe as Redis keeps it: `appendonly yes` and `appendfsync always`
    lose nothing in a crash, and a failover loses nothing that `replicas` had to have.
    """

    batch_size = 700
    """Nobody else is served while they are counted, 25 to 50 ms."""

    def __init__(self, client: Client, shards: Shards, retention: Retention) -> None:
        self._retention = retention
        self.name = client.name
        self._client = client
        self._shards = shards

    @classmethod
    def at(cls, url: str, retention: Retention) -> Self:
        """The store of a URL (see gateway.redisurl); StoreUnavailable when it is none.

        A Redis that is down is no error: the gateway starts, and its journal waits.
        """
        try:
            address = Address.parse(url)
        except BadAddress as error:
            raise StoreUnavailable(f"ledger.url: {error}") from error
        count = _CLUSTER_SHARDS if address.kind == "cluster" else 1
        return cls(connect(address), Shards(address.options.prefix, count), retention)

    async def apply(self, parcels: Sequence[Parcel]) -> None:
        """One script call a shard.

        On a Cluster some may succeed and some fail: then each shard knows how far it got, and the
        same parcels, sent again, count on the others.
        """
        if parcels:
            await applying.apply(self._client, self._shards, lifetimes(self._retention), parcels)

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        """The lowest on any shard: up to it every shard has everything."""
        names = sorted(writers)
        if not names:
            return {}
        shards = await self._client.ask(
            [("HMGET", shard.writers, *names) for shard in self._shards.all]
        )
        return {
            name: min(map(int, reached))
            for name, reached in zip(names, zip(*shards, strict=True), strict=True)
            if None not in reached
        }

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        """See Store."""
        return await generations.generation(self._client, self._shards, generation_id, tenants)

    async def generations(self, query: GenerationQuery) -> Sequence[Generation]:
        """See Store."""
        return await generations.generations(self._client, self._shards, query)

    async def activity(self, query: ActivityQuery) -> Sequence[ActivityRow]:
        """See Store."""
        return await activity.activity(self._client, self._shards, query)

    async def hours(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Sequence[HourRow]:
        """See Store."""
        return await activity.hours(self._client, self._shards, since, until, tenants)

    async def active_users(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Mapping[int, int]:
        """See Store."""
        return await activity.active_users(self._client, self._shards, since, until, tenants)

    async def users(self, query: UserQuery) -> Sequence[UserRow]:
        """See Store."""
        return await users.users(self._client, self._shards, query)

    def everyone(self, since: int, until: int) -> AsyncIterator[Sequence[UserRow]]:
        """See Store."""
        return users.everyone(self._client, self._shards, since, until)

    async def search_users(self, query: UserSearch, page: SearchPage) -> FoundUsers:
        """See Store."""
        return await search.search_users(self._client, self._shards, query, page)

    async def distribution(self, query: UserSearch) -> Distribution:
        """See Store."""
        return await search.distribution(self._client, self._shards, query)

    async def leaderboard(self, query: LeaderboardQuery) -> Sequence[UserRow]:
        """See Store."""
        return await leaderboard.leaderboard(self._client, self._shards, query)

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """See Store."""
        return await spread.spread(self._client, self._shards, month, tenants)

    async def erase(self, tenant: str, user: str) -> int:
        """See Store."""
        return await erasing.erase(
            self._client, self._shards, lifetimes(self._retention), tenant, user
        )

    async def recount(self) -> Recount:
        """See Store. Nothing is applied meanwhile."""
        return await recount.recount(self._client, self._shards)

    async def expire(self, generations_before: int, activity_before: int) -> None:
        """See Store."""
        await expiry.expire(
            self._client,
            self._shards,
            lifetimes(self._retention),
            generations_before,
            activity_before,
        )

    async def close(self) -> None:
        """See Store."""
        await self._client.close()
