"""Every kind of store, opened on a folder: what is opened there again finds what was there."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from gateway.config import Retention
from gateway.generation import Generation
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import Store
from gateway.units import Duration
from tests.parts.generations import records
from tests.parts.redis_servers import shared_cluster, shared_server, shared_trio

FOREVER = Retention(generations=Duration(1e10), activity=Duration(1e10))
"""Longer than the tests' calls are old, so that no Redis forgets them by itself."""

OpenStore = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Store]:
    """A store in `hearth.db` of the folder."""
    store = await SqliteStore.open(folder / "hearth.db")
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def redis_at(url: str, folder: Path) -> AsyncIterator[Store]:
    """A store in Redis, with a prefix of the folder's own."""
    own = f"prefix={prefix_of(folder)}&timeout=60&connect_timeout=60"  # of a busy machine
    store = RedisStore.at(f"{url}?{own}", FOREVER)
    try:
        yield store
    finally:
        await store.close()


async def counted(store: Store) -> int:
    """How many generations were counted, which all three recounts agree on day by day."""
    recount = await store.recount()
    assert recount.by_user == recount.by_provider == recount.by_generation
    return sum(counts.requests for counts in recount.by_user.values())


def prefix_of(folder: Path) -> str:
    """What no other folder's keys begin with."""
    return sha256(bytes(folder)).hexdigest()[:12]


@asynccontextmanager
async def fakeredis(folder: Path) -> AsyncIterator[Store]:
    """A store in a Redis that is played in this process, its Lua included."""
    client = Client(FakeAsyncRedis(server=_fake_server(), protocol=2), "fakeredis")
    store = RedisStore(client, Shards(prefix_of(folder), 1), FOREVER)
    try:
        yield store
    finally:
        await store.close()


@cache
def _fake_server() -> FakeServer:
    return FakeServer(version=(6, 2))


STORES: dict[str, OpenStore] = {
    "sqlite": sqlite,
    "fakeredis": fakeredis,
    "redis": lambda folder: redis_at(shared_server().url, folder),
    "sentinel": lambda folder: redis_at(shared_trio().url, folder),
    "cluster": lambda folder: redis_at(shared_cluster().url, folder),
}

EACH = (
    *("sqlite", "redis", "cluster"),
    *(pytest.param(kind, marks=pytest.mark.heavy) for kind in ("fakeredis", "sentinel")),
)
"""Their kinds, as parameters of tests; the lines that run on the last two run on the others too."""


@asynccontextmanager
async def filled(kind: str, folder: Path, calls: Sequence[Generation]) -> AsyncIterator[Store]:
    """A store of this kind with these calls in it, applied in pieces."""
    batch = records(*calls)
    async with STORES[kind](folder) as store:
        for start in range(0, len(batch), 70):
            await store.apply(batch[start : start + 70])
        yield store


@asynccontextmanager
async def shared(kind: str, root: Path, calls: Sequence[Generation]) -> AsyncIterator[Store]:
    """The same, filled the first time and only opened again from then on: nobody may change it."""
    folder = root / f"{kind}-{sha256(msgspec.msgpack.encode(calls)).hexdigest()[:12]}"
    if not folder.exists():
        folder.mkdir()
        async with filled(kind, folder, calls):
            pass
    async with STORES[kind](folder) as store:
        yield store
