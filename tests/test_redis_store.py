"""What is special to the store in Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from redis import Redis

from bench.faults.lossy_proxy import proxy
from bench.ports import HOST, free_port
from bench.redis_server import Server
from gateway.calendar import month_of
from gateway.config import Retention
from gateway.ledger.opening import open_store
from gateway.ledger.queries import ActivityQuery, GenerationQuery, LeaderboardQuery, UserQuery
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.connect import connect
from gateway.ledger.redis.keys import Shards
from gateway.ledger.spread import Bar, bar_of
from gateway.ledger.store import Store, StoreUnavailable
from gateway.ledger.verify import verify
from gateway.redisurl import Address
from gateway.units import Duration
from tests.parts.certificates import CA, tls_for
from tests.parts.generations import DAY, MICROSECONDS, generation, records, refusal
from tests.parts.redis_servers import shared_cluster, shared_server
from tests.parts.stores import FOREVER, prefix_of, redis_at


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on one server."""
    async with redis_at(shared_server().url, tmp_path) as opened:
        yield opened


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Server]:
    """A server that lets in nobody without a login."""
    server = Server(
        tmp_path / "locked", "requirepass open", "user hearth on >sesame allkeys allcommands"
    )
    yield server
    server.kill()


def keys_of(folder: Path) -> set[str]:
    """What the store of the folder has left in its Redis, without the prefix."""
    with Redis(port=shared_server().port, decode_responses=True) as redis:
        found = redis.scan_iter(f"{prefix_of(folder)}*", count=10_000)
        return {str(key).partition(":")[2] for key in found}


async def test_opened_by_url(tmp_path: Path) -> None:
    """The ledger opens Redis by its URL, as it does SQLite."""
    store = await open_store(f"{shared_server().url}?prefix={prefix_of(tmp_path)}", Retention())
    await store.apply(records(generation(1)))
    assert await store.positions(["w"]) == {"w": 1}
    await store.close()


async def test_bad_url() -> None:
    """A URL that cannot be is refused at the start, with the name of its key."""
    with pytest.raises(StoreUnavailable, match=r"ledger\.url: several hosts"):
        await open_store("redis://a,b", Retention())


async def test_redis_that_is_down() -> None:
    """A gateway can start without its Redis; each use says where it should be, without login."""
    store = RedisStore.at(f"redis://me:secret@{HOST}:{free_port()}", FOREVER)
    for use in (store.apply(records(generation(1))), store.positions(["w"]), store.recount()):
        with pytest.raises(StoreUnavailable, match=f"redis at {HOST}") as caught:
            await use
        assert "secret" not in str(caught.value)
    await store.close()


async def test_sentinels_that_are_down() -> None:
    """The error tells why each of them did not answer, and not what it was to be asked with."""
    hosts = f"{HOST}:{free_port()},{HOST}:{free_port()}"
    store = RedisStore.at(f"redis+sentinel://{hosts}/ledger", FOREVER)
    with pytest.raises(StoreUnavailable) as caught:
        await store.positions(["w"])
    text = str(caught.value)
    assert (text.count("ConnectionError"), "redis.asyncio" in text) == (2, False)
    await store.close()


@pytest.mark.parametrize("login", [":open", "hearth:sesame"])
async def test_login(locked: Server, login: str) -> None:
    """A password alone or an ACL user's opens it, in the database named."""
    store = RedisStore.at(f"redis://{login}@{HOST}:{locked.port}/3", FOREVER)
    await store.apply(records(generation(1)))
    await store.close()
    with Redis(port=locked.port, password="open", db=3) as redis:
        assert redis.exists("hearth{0}:writers")


@pytest.mark.parametrize("login", ["", ":wrong@", "hearth:wrong@"])
async def test_wrong_login(locked: Server, login: str) -> None:
    """Without the right login the store is unavailable."""
    store = RedisStore.at(f"redis://{login}{HOST}:{locked.port}", FOREVER)
    with pytest.raises(StoreUnavailable):
        await store.apply(records(generation(1)))
    await store.close()


async def test_tls(tmp_path: Path) -> None:
    """rediss:// trusts the CA it is given, and no other."""
    for name, ca in (("ca.pem", CA), ("other.pem", trustme.CA())):
        ca.cert_pem.write_to_path(tmp_path / name)
    async with proxy(shared_server().port, tls=tls_for(HOST)) as passing:
        url = f"rediss://{HOST}:{passing.port}?prefix={prefix_of(tmp_path)}&ca={tmp_path}"
        store = RedisStore.at(f"{url}/ca.pem", FOREVER)
        await store.apply(records(generation(1)))
        await store.close()
        stranger = RedisStore.at(f"{url}/other.pem", FOREVER)
        with pytest.raises(StoreUnavailable, match="certificate"):
            await stranger.positions(["w"])
        await stranger.close()


async def test_nothing_is_left(store: Store, tmp_path: Path) -> None:
    """When all is past its retention, no key is left but the note of what was cut."""
    settled = (
        *(generation(n, upstream_id=f"up-{n}", user=f"user_{n % 3}") for n in range(1, 9)),
        refusal(9, tenant="other"),
    )
    await store.apply(records(*settled))
    assert len(keys_of(tmp_path)) > 40
    end = DAY + 60
    await store.expire(end * MICROSECONDS, end)
    assert keys_of(tmp_path) == {"retention", "version"}


async def test_reused_upstream_id_outlives_the_first(store: Store) -> None:
    """Forgetting a generation keeps its upstream id for the newer one that has it too."""
    old, new = (generation(number, upstream_id="up") for number in (1, 2))
    await store.apply(records(old, new))
    await store.expire(new.created_at, 0)
    assert await store.generation("up", None) == new


async def test_sums_beyond_a_double(store: Store) -> None:
    """Sums that a double cannot hold are exact."""
    costs = [10**13 - 1] * 1001
    assert float(sum(costs)) != sum(costs)
    await store.apply(records(*(generation(n, cost=cost) for n, cost in enumerate(costs))))
    (row,) = await store.activity(ActivityQuery(since=DAY, until=DAY))
    (user,) = await store.leaderboard(LeaderboardQuery(month=month_of(DAY)))
    assert row.counts.cost == user.counts.cost == sum(costs)


async def test_sums_that_grow_beyond_a_double(store: Store) -> None:
    """Counters of users stay exact where what was kept, or what it becomes, is not as a double."""
    by_user = ActivityQuery(since=DAY, until=DAY, by=frozenset({"user"}))
    cost, month = 10**13 - 1, month_of(DAY)
    for start in range(0, 1212, 101):
        some = [generation(start + n, cost=cost, cache_discount=-cost) for n in range(101)]
        await store.apply(records(*some, first=start + 1))
        expected = (start + 101) * cost
        (row,) = await store.activity(by_user)
        (user,) = await store.leaderboard(LeaderboardQuery(month=month))
        assert row.counts.cost == user.counts.cost == expected
        assert row.counts.cache_discount == user.counts.cache_discount == -expected
        assert (await store.spread(month, None)).cost == (Bar.of(bar_of(expected), 1),)
    await store.apply(records(*(generation(1212 + n, cost=-cost) for n in range(1011)), first=1213))
    (row,) = await store.activity(by_user)
    assert row.counts.cost == 201 * cost


async def test_more_rows_than_lua_takes_arguments(store: Store) -> None:
    """A user may call any number of models between two batches, on a day that is new to it."""
    settled = [generation(number, model=f"model-{number}") for number in range(1500)]
    await store.apply(records(*settled))
    await store.apply(records(generation(1500), first=1501))
    rows = await store.activity(ActivityQuery(since=DAY, until=DAY, by=frozenset({"user"})))
    assert len(rows) == 1501
    [user] = await store.users(UserQuery(since=DAY, until=DAY))
    assert (user.counts.requests, user.active_days) == (1501, 1)


async def test_no_read_scans(server: Server) -> None:
    """No read walks over the keys, a whole hash of users, or the log of a day."""
    store = RedisStore.at(server.url, FOREVER)
    await store.apply(records(generation(1), refusal(2)))
    await store.generations(GenerationQuery(status="200"))
    await store.generation("gen-1", None)
    await store.activity(ActivityQuery(since=0, until=DAY, by=frozenset({"user"})))
    await store.users(UserQuery(since=0, until=DAY, order="flags"))
    await store.leaderboard(LeaderboardQuery(month=month_of(DAY), prefix="u"))
    await store.spread(month_of(DAY), None)
    await store.close()
    used = {name.removeprefix("cmdstat_") for name in server.info("commandstats")}
    assert used & {"keys", "scan", "hscan", "zscan", "sscan", "sort"} == set()
    assert "evalsha" in used


async def test_recount_holds_what_comes(store: Store, tmp_path: Path) -> None:
    """While someone recounts nothing is applied; the hold ends with the recount, or by itself."""
    await store.apply(records(generation(1)))
    with Redis(port=shared_server().port) as redis:
        redis.set(f"{prefix_of(tmp_path)}{{0}}:hold", 1, ex=30)
        with pytest.raises(StoreUnavailable, match="recounted"):
            await store.apply(records(generation(2), first=2))
    await store.recount()
    await store.apply(records(generation(2), first=2))
    assert await store.positions(["w"]) == {"w": 2}
    assert "hold" not in keys_of(tmp_path)


async def test_recount_while_a_day_is_forgotten(store: Store, tmp_path: Path) -> None:
    """A day past its retention is no drift, however much of it is gone yet."""
    await store.expire(0, DAY + 1)
    await store.apply(records(generation(1), generation(1, day=DAY + 1)))
    with Redis(port=shared_server().port) as redis:
        assert redis.delete(f"{prefix_of(tmp_path)}{{0}}:user:d{DAY}:app:user_1") == 1
    verdict = await verify(store)
    assert (verdict.drift, verdict.requests) == ((), 1)


async def test_retention_that_became_longer(server: Server) -> None:
    """What Redis forgets at the time that was said before is no drift; what came since would be."""
    today = int(time.time()) // 86400
    complete_from = []
    for days in (5, 5, 9, 9):
        retention = Retention(generations=Duration(days * 86400))
        store = RedisStore.at(server.url, retention)
        await store.expire((today - days) * MICROSECONDS, 0)
        complete_from.append((await store.recount()).complete_from)
        await store.close()
    assert complete_from == [today - 5, today - 5, today + 1, today + 1]


async def test_refusals_break_no_reads(tmp_path: Path) -> None:
    """While a Cluster is recounted, and takes nothing, everything can be read as before."""
    async with redis_at(shared_cluster().url, tmp_path) as store:
        await store.apply(records(generation(1)))
        held = connect(Address.parse(shared_cluster().url))
        shards = Shards(prefix_of(tmp_path), 16).all
        await held.ask([("SET", shard.hold, 1, "EX", 30) for shard in shards])
        await held.close()

        async def refused() -> None:
            for _ in range(20):
                with pytest.raises(StoreUnavailable, match="recounted"):
                    await store.apply(records(generation(2), first=2))

        async def read() -> None:
            for _ in range(60):
                assert len(await store.generations(GenerationQuery())) == 1

        await asyncio.gather(refused(), *(read() for _ in range(4)))


async def test_made_by_a_later_version(store: Store, tmp_path: Path) -> None:
    """Nothing is counted on top of what a later Hearth keeps in another way; the journal waits."""
    await store.apply(records(generation(1)))
    key = f"{prefix_of(tmp_path)}{{0}}:version"
    with Redis(port=shared_server().port) as redis:
        version = int(redis.get(key) or 0)
        redis.set(key, version + 1)
        with pytest.raises(StoreUnavailable, match=f"later Hearth: version {version + 1}"):
            await store.apply(records(generation(2), first=2))
        assert await store.positions(["w"]) == {"w": 1}
        redis.set(key, version)
    await store.apply(records(generation(2), first=2))
    assert await store.positions(["w"]) == {"w": 2}


async def test_users_over_months(store: Store) -> None:
    """A range adds up whole months and single days; a day that was cut is not in it any more."""
    days = [DAY - 5, DAY, DAY + 20, DAY + 27, DAY + 40]
    await store.apply(records(*(generation(1, day=day) for day in days)))
    for since, until in [(0, 99_999), (DAY - 5, DAY + 40), (DAY, DAY + 39), (DAY - 4, DAY + 27)]:
        (row,) = await store.users(UserQuery(since=since, until=until))
        asked = [day for day in days if since <= day <= until]
        assert (row.counts.requests, row.active_days) == (len(asked), len(asked))
        assert (row.first_seen // MICROSECONDS, row.last_seen // MICROSECONDS) == (
            asked[0],
            asked[-1],
        )
    await store.expire(0, DAY + 1)
    (row,) = await store.users(UserQuery(since=0, until=99_999))
    assert row.counts.requests == 3


async def test_day_that_goes_while_it_is_read(store: Store, tmp_path: Path) -> None:
    """Users' rows whose names are gone with their day are not told, and break nothing."""
    await store.apply(records(generation(1), generation(2, day=DAY + 1)))
    with Redis(port=shared_server().port) as redis:
        (names,) = redis.scan_iter(f"{prefix_of(tmp_path)}*:rows:d{DAY}:*", count=10_000)
        redis.delete(names)
    rows = await store.activity(
        ActivityQuery(since=DAY, until=DAY + 1, by=frozenset({"user"})),
    )
    assert [row.day for row in rows] == [DAY + 1]


async def test_replicas_that_are_missing(server: Server) -> None:
    """What too few replicas have does not count as applied, also when it is sent again."""
    store = RedisStore.at(f"{server.url}?replicas=1&timeout=2", FOREVER)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
            await store.apply(records(generation(1)))
    await store.close()


async def test_cluster_spreads_users(tmp_path: Path) -> None:
    """Every node of a Cluster gets users, and top lists are merged out of all of them."""
    async with redis_at(shared_cluster().url, tmp_path) as store:
        settled = [generation(n, user=f"user_{n:02}", cost=n) for n in range(1, 65)]
        await store.apply(records(*settled))
        top = await store.users(UserQuery(since=DAY, until=DAY, limit=3))
        assert [row.user for row in top] == ["user_64", "user_63", "user_62"]
    for node in shared_cluster().servers:
        with Redis(port=node.port) as redis:
            assert next(redis.scan_iter(f"{prefix_of(tmp_path)}*:generation:*", count=10_000), None)


async def test_every_key_expires(server: Server) -> None:
    """Left alone, Redis forgets it all by itself: a day after the retention, and no sooner."""
    retention = Retention(generations=Duration(5 * 86400), activity=Duration(9 * 86400))
    today = int(time.time()) // 86400
    store = RedisStore.at(server.url, retention)
    calls = [
        generation(n, day=today, user=f"user_{n % 3}", upstream_id=f"up-{n}") for n in range(9)
    ]
    await store.apply(records(*calls))
    await store.erase(calls[0].tenant, "user_0")
    await store.close()
    with Redis(port=server.port, decode_responses=True) as redis:
        left = {key: redis.ttl(key) / 86400 for key in redis.scan_iter()}
    assert len(left) > 20
    kinds = {key.partition("}:")[2].partition(":")[0]: days for key, days in left.items()}
    assert min(left.values()) > 5
    assert {kinds["generation"] < 7, kinds["newest"] < 7, kinds["upstream"] < 7} == {True}
    assert 9 < kinds["writers"] < 11
    assert max(left.values()) < 9 + 1 + 31 + 1


async def test_days_of_users_stay_small(store: Store, tmp_path: Path) -> None:
    """However long the names of models and providers, Redis keeps a user's day in one block."""
    model, provider = "anthropic/claude-sonnet-4-20250514", "bedrock-eu-central-1"
    await store.apply(records(generation(1, user="user_1", model=model, provider=provider)))
    with Redis(port=shared_server().port, decode_responses=True) as redis:
        [key] = redis.scan_iter(f"{prefix_of(tmp_path)}*:user:d*", count=10_000)
        assert redis.object("ENCODING", key) in ("ziplist", "listpack")
    [row] = await store.activity(ActivityQuery(since=DAY, until=DAY, by=frozenset({"user"})))
    assert (row.model, row.provider) == (model, provider)


async def test_the_documented_model(store: Store, tmp_path: Path) -> None:
    """One request leaves the very keys that the documentation shows."""
    document = (Path(__file__).parent.parent / "docs" / "ledger.md").read_text()
    shown = document.partition("<!-- model: begin -->")[2].partition("<!-- model: end -->")[0]
    names = [line.split()[0] for line in shown.splitlines() if line.startswith("hearth{0}:")]
    one = generation(
        1,
        day=20778,
        id="gen-1",
        tenant="shop",
        user="ann",
        model="gpt-4o",
        provider="oak",
        route="home",
        upstream_id="chatcmpl-9",
        cost=1950,
    )
    await store.apply(records(one, writer="w7", first=41))
    assert keys_of(tmp_path) == {name.partition(":")[2] for name in names}
    assert len(names) == len(set(names))
