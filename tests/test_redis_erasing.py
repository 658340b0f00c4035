"""Erasing in Redis, where calls come between one step and the next."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.ledger.queries import GenerationQuery
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.batch import ScriptCall
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.store import StoreUnavailable
from tests.parts.generations import DAY, generation, records
from tests.parts.redis_servers import shared_server
from tests.parts.stores import FOREVER, counted, prefix_of

CALLS = [generation(n, user="user_1", day=DAY + n % 3) for n in range(6)]


class Interrupted(Client):
    """A client with something to do before its next runs of the script."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, "redis")
        self.before: list[Callable[[], Awaitable[object]]] = []

    async def run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """Do it, then run the script."""
        if self.before:
            await self.before.pop(0)()
        return await super().run(calls)


@pytest.fixture
async def client() -> AsyncIterator[Interrupted]:
    """Connected to the shared server."""
    connected = Interrupted(Redis(port=shared_server().port, protocol=2))
    yield connected
    await connected.close()


@pytest.fixture
async def store(client: Interrupted, tmp_path: Path) -> RedisStore:
    """With three days of one user in it."""
    opened = RedisStore(client, Shards(prefix_of(tmp_path), 1), FOREVER)
    await opened.apply(records(*CALLS))
    return opened


@pytest.mark.parametrize("step", range(5))
async def test_calls_between_steps(store: RedisStore, client: Interrupted, step: int) -> None:
    """A call that comes when some days are taken and some are not is erased with them."""
    late = records(generation(9, user="user_1"), writer="late")

    async def pause() -> None:
        """Nothing happens."""

    client.before += [pause] * step
    client.before.append(lambda: store.apply(late))
    assert await store.erase("app", "user_1") == len(CALLS) + 1
    recount = await store.recount()
    assert recount.by_user == recount.by_provider == recount.by_generation
    assert recount.by_provider[DAY].requests == 3
    assert await store.generations(GenerationQuery()) == []


@pytest.mark.parametrize("step", range(5))
async def test_cut_off_between_steps(store: RedisStore, client: Interrupted, step: int) -> None:
    """Wherever it ends before its time, all counts agree, also with what comes then, until it is
    repeated and after."""

    async def pause() -> None:
        """Nothing happens."""

    async def cut_off() -> None:
        raise StoreUnavailable("cut off")

    client.before += [*[pause] * step, cut_off]
    with pytest.raises(StoreUnavailable):
        await store.erase("app", "user_1")
    assert await counted(store) == len(CALLS)
    await store.apply(records(generation(9, user="user_1"), writer="late"))
    assert await counted(store) == len(CALLS) + 1
    await store.erase("app", "user_1")
    assert await counted(store) == len(CALLS) + 1


async def test_erased_in_part_before(
    store: RedisStore, client: Interrupted, tmp_path: Path
) -> None:
    """A user whose records were gone before a crash is taken out of all days the next time."""
    [names] = Shards(prefix_of(tmp_path), 1).all
    await client.ask([("UNLINK", names.generation(each.id)) for each in CALLS])
    assert await store.erase("app", "user_1") == 0
    assert (await store.recount()).by_user == (await store.recount()).by_generation
    assert await client.ask([("EXISTS", names.newest_of_user("app", "user_1"))]) == [0]
