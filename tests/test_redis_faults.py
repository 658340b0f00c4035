"""Whatever happens to Redis and on the way to it, each record is counted once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fakeredis import FakeAsyncRedis
from redis import Redis, exceptions
from redis.asyncio import RedisCluster
from redis.crc import key_slot

from bench.faults.lossy_proxy import proxy
from bench.ports import HOST
from bench.redis_server import Server
from gateway.generation import Generation
from gateway.ledger.fallback import ping
from gateway.ledger.journal import Journal
from gateway.ledger.parcel import Parcel
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.client import Client
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable
from tests.parts import counting
from tests.parts.generations import generation, records
from tests.parts.redis_servers import Cluster, Trio
from tests.parts.stores import FOREVER
from tests.parts.waiting import PATIENCE, eventually

SETTLED = [generation(n, user=f"user_{n % 40}", cost=n) for n in range(1, 401)]
BATCHES = [records(*SETTLED[at : at + 20], first=at + 1) for at in range(0, len(SETTLED), 20)]
HASTE = 0.5
"""Seconds after which a store gives up that is to be too hasty."""


@asynccontextmanager
async def store_at(url: str, patience: float = PATIENCE) -> AsyncIterator[RedisStore]:
    """A store that waits so many seconds for an answer."""
    store = RedisStore.at(f"{url}?timeout={patience}&connect_timeout={patience}", FOREVER)
    try:
        yield store
    finally:
        await store.close()


async def deliver(store: RedisStore, batches: Sequence[Sequence[Parcel]] = BATCHES) -> int:
    """Apply in order, each batch again until that works; how often it did not."""
    failed = 0
    async with asyncio.timeout(100):
        for batch in batches:
            while not await _applied(store, batch):
                failed += 1
                await asyncio.sleep(0.02)
    return failed


async def _applied(store: RedisStore, batch: Sequence[Parcel]) -> bool:
    try:
        await store.apply(batch)
    except StoreUnavailable:
        return False
    return True


async def assert_counted_once(store: RedisStore, settled: Sequence[Generation] = SETTLED) -> None:
    """All three recounts say what was settled, and the writer is at its end."""
    recount = await store.recount()
    assert recount.by_user == counting.by_day(settled)
    assert recount.by_provider == recount.by_generation == recount.by_user


async def test_killed_and_started_again(server: Server) -> None:
    """A Redis that dies in the middle of a batch and comes back counts every record once."""
    async with store_at(server.url) as store:
        for number in (4, 8, 12):
            await deliver(store, BATCHES[:number])
            applying = asyncio.create_task(_applied(store, BATCHES[number]))
            await asyncio.to_thread(server.kill)
            await applying
            await asyncio.to_thread(server.start)
        await deliver(store)
        await assert_counted_once(store)
        assert await store.positions(["w"]) == {"w": len(SETTLED)}


async def test_lost_replies(server: Server, tmp_path: Path) -> None:
    """A shipper whose batches are applied but never answered ships them again: counted once."""
    journal = Journal(tmp_path / "journal")
    for settled in SETTLED:
        journal.append(settled)
    async with proxy(server.port) as passing, store_at(f"redis://{HOST}:{passing.port}") as store:
        await store.apply(records(generation(1, id="first"), writer="v"))
        for _ in range(3):
            await store.positions(["w"])
            passing.losing = 1
            assert not await _applied(store, records(*SETTLED, writer=journal.writer))
        shipper = Shipper(tmp_path / "journal", store)
        await shipper.flush()
        await shipper.stop()
        await assert_counted_once(store, [*SETTLED, generation(1, id="first")])
    journal.close()


async def test_a_crash_that_takes_what_was_applied(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A Redis that starts again from a snapshot gets what it lost out of the journal, once."""
    server = Server(tmp_path / "redis")
    request.addfinalizer(server.kill)
    journal, other = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
    async with store_at(server.url) as store:
        shipper = Shipper(journal.folder, store)
        for part in (SETTLED[:100], SETTLED[100:200]):
            await asyncio.to_thread(server.command, "SAVE")
            journal.append_all(part[:60])
            other.append_all(part[60:])
            await shipper.flush()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        assert await store.positions([journal.writer]) == {journal.writer: 60}
        journal.append_all(SETTLED[200:])
        await shipper.flush()
        await assert_counted_once(store)


async def test_paused_server(server: Server) -> None:
    """A Redis that hangs is given up after the timeout; what it does later counts once."""
    async with store_at(server.url, HASTE) as hasty, store_at(server.url) as store:
        await deliver(hasty, BATCHES[:1])
        server.signal(signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE):
            assert not await _applied(hasty, BATCHES[1])
        server.signal(signal.SIGCONT)
        await deliver(hasty)
        await assert_counted_once(store)


async def test_nothing_outlives_a_store(server: Server) -> None:
    """What nobody waits for any more ends with it, also where the server is silent."""
    before = asyncio.all_tasks()
    async with store_at(server.url) as store:
        await deliver(store, BATCHES[:1])
        server.signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable, match="no answer"):
            await ping(store, HASTE / 5)
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before


async def test_killed_connections(server: Server) -> None:
    """Connections that Redis closes at any moment cost a try, not a count."""
    async with store_at(server.url) as store:
        delivering = asyncio.create_task(deliver(store))
        while not delivering.done():
            await asyncio.to_thread(server.command, "CLIENT", "KILL", "TYPE", "normal")
        await delivering
        await assert_counted_once(store)


async def test_script_is_learned_again(server: Server) -> None:
    """A Redis that forgot the script gets it with the next batch, which does not fail."""
    async with store_at(server.url) as store:
        for batch in BATCHES:
            await asyncio.to_thread(server.command, "SCRIPT", "FLUSH")
            await store.apply(batch)
        await assert_counted_once(store)


async def test_two_gateways_with_one_journal(server: Server) -> None:
    """Two shippers that bring the same records, killed and not, count each of them once."""
    async with store_at(server.url) as one, store_at(server.url) as two:
        await asyncio.gather(deliver(one), deliver(two, BATCHES[:15]))
        await assert_counted_once(one)


async def test_cancelled_batches(server: Server) -> None:
    """A caller that gives up leaves connections that answer the right questions."""
    async with store_at(server.url) as store:
        for batch in BATCHES:
            applying = asyncio.create_task(store.apply(batch))
            await asyncio.sleep(0)
            applying.cancel()
            await asyncio.wait([applying])
            assert set(await store.positions(["w"])) <= {"w"}
            await deliver(store, [batch])
        await assert_counted_once(store)


async def test_failover(tmp_path: Path) -> None:
    """The primary of a Sentinel set-up dies: the next one has all, and gets the rest."""
    trio = await asyncio.to_thread(Trio, tmp_path, down_after=1000)
    try:
        await asyncio.to_thread(trio.agree)
        async with store_at(trio.url) as store:
            await deliver(store, BATCHES[:5])
            delivering = asyncio.create_task(deliver(store))
            await asyncio.sleep(0)
            trio.primary.kill()  # within this turn, or all would be delivered before
            assert await delivering > 0
            await assert_counted_once(store)
    finally:
        for server in trio.servers:
            server.kill()


async def test_a_silent_sentinel(tmp_path: Path) -> None:
    """The next one is asked, though whoever reads has long gone when the first is given up."""
    trio = await asyncio.to_thread(Trio, tmp_path, down_after=60_000)
    try:
        trio.sentinels[0].signal(signal.SIGSTOP)
        async with store_at(trio.url, HASTE) as store:
            await eventually(partial(answers, store))
    finally:
        for server in trio.servers:
            server.kill()


async def answers(store: RedisStore) -> bool:
    """Whether it does before it would give up a server."""
    try:
        await ping(store, HASTE / 5)
    except StoreUnavailable:
        return False
    return True


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes to be harmed."""
    whole = Cluster(tmp_path)
    yield whole
    for server in whole.servers:
        server.kill()


async def test_part_of_a_cluster(cluster: Cluster) -> None:
    """While a node hangs, others count their part of a batch; the rest comes with the retry."""
    async with store_at(cluster.url, HASTE) as hasty, store_at(cluster.url) as store:
        await deliver(hasty, BATCHES[:3])
        cluster.servers[1].signal(signal.SIGSTOP)
        assert not await _applied(hasty, BATCHES[3])
        cluster.servers[1].signal(signal.SIGCONT)
        assert (await store.positions(["w"]))["w"] in (60, 80)
        await deliver(hasty)
        await assert_counted_once(store)


async def test_a_node_that_is_silent_for_too_long(cluster: Cluster) -> None:
    """Its successor is found, though whoever reads has long gone when it is given up."""
    first, silent, _ = cluster.servers
    slots = [slot for slot in map(slot_of, range(16)) if serves(silent, slot)]
    async with store_at(cluster.url, HASTE) as store:
        await deliver(store, BATCHES[:1])
        silent.signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable, match="no answer"):
            await ping(store, HASTE / 5)
        for node, slot in product((first, cluster.servers[2]), slots):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", id_of(first))
        await eventually(partial(answers, store))


async def test_slots_on_the_move(cluster: Cluster) -> None:
    """Slots that move from node to node while batches come in take their counts along."""
    async with store_at(cluster.url) as store:
        moving = asyncio.create_task(asyncio.to_thread(move_some, cluster))
        settled: list[Generation] = []
        while not moving.done():
            batch = [generation(len(settled) + n, user=f"user_{n}") for n in range(20)]
            await deliver(store, [records(*batch, first=len(settled) + 1)])
            settled += batch
        await moving
        await assert_counted_once(store, settled)


def move_some(cluster: Cluster) -> None:
    """Bring the slots of some shards elsewhere, and of one of them back."""
    for shard in (0, 1, 2, 3, 0, 0):
        move(cluster, slot_of(shard))


def slot_of(shard: int) -> int:
    """Where the keys of a shard are."""
    return key_slot(str(shard).encode())


def move(cluster: Cluster, slot: int) -> None:
    """Bring a slot to the next node, key by key."""
    ids = [id_of(node) for node in cluster.servers]
    (home,) = [n for n, node in enumerate(cluster.servers) if serves(node, slot)]
    away = (home + 1) % len(ids)
    source, target = cluster.servers[home], cluster.servers[away]
    target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[home])
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[away])
    with Redis(port=source.port) as redis:
        while keys := redis.execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            redis.execute_command("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *keys)
    for node in (target, source, *cluster.servers):
        node.command("CLUSTER", "SETSLOT", slot, "NODE", ids[away])


def id_of(node: Server) -> str:
    """What it is called in the Cluster."""
    with Redis(port=node.port, decode_responses=True) as redis:
        return str(redis.execute_command("CLUSTER MYID"))


def serves(node: Server, slot: int) -> bool:
    """Whether the node itself has the slot."""
    with Redis(port=node.port) as redis:
        ranges = redis.execute_command("CLUSTER", "SLOTS")
    return any(
        start <= slot <= end and primary[1] == node.port for start, end, primary, *_ in ranges
    )


class Stuck(RedisCluster):
    """A node is gone, and the connection to it does not end: TLS waits for the other side."""

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> NoReturn:
        raise exceptions.ConnectionError("the node is gone")

    async def aclose(self) -> None:
        raise exceptions.TimeoutError("Timed out closing connection")


async def test_connections_that_do_not_end() -> None:
    """What is told is what failed, not what came of it; and who ends is not kept from it."""
    client = Client(Stuck(HOST, 1), "a store")
    with pytest.raises(StoreUnavailable, match="a store: the node is gone"):
        await client.ask([("GET", "x")])
    await client.close()


class Lost(FakeAsyncRedis):
    """Its connection is gone, and only the transport knows."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> NoReturn:
        raise RuntimeError("the handler is closed")


async def test_connection_lost_before_a_command() -> None:
    """uvloop calls that a RuntimeError; it is an unavailable store like any other."""
    with pytest.raises(StoreUnavailable, match="a store: the handler is closed"):
        await Client(Lost(), "a store").ask([("GET", "x")])
