"""How commands reach Redis: packed by our own code, in the same bytes."""

from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import Connection

from gateway.ledger.redis.connect import connect
from gateway.redisurl import Address
from tests.parts.redis_servers import shared_cluster, shared_server, shared_trio

COMMANDS: tuple[tuple[Any, ...], ...] = (
    ("EVALSHA", "f00", 1, "key", b"\x00\xff\r\n"),
    ("CLIENT SETINFO", "LIB-NAME", "x y"),
    ("SCRIPT LOAD", "return 'ä'".encode()),
    ("ZRANGE", "ä", 0, -1, 0.5),
)


def connection_of(redis: Redis | RedisCluster) -> Any:
    """One that it would use next."""
    if isinstance(redis, RedisCluster):
        return redis.get_primaries()[0].acquire_connection()
    pool: Any = redis.connection_pool
    return pool.make_connection()


@pytest.mark.parametrize(
    "url",
    [
        lambda: shared_server().url,
        lambda: shared_server().url.replace("redis:", "rediss:"),
        lambda: shared_trio().url,
        lambda: shared_cluster().url,
    ],
    ids=["single", "tls", "sentinel", "cluster"],
)
async def test_packed_in_one_piece(url: Any) -> None:
    """Whatever kind of Redis it is, a command is sent as redis-py would, but in one piece."""
    client = connect(Address.parse(url()))
    redis: Any = client._redis
    await redis.initialize()
    connection = connection_of(redis)
    plain = Connection()
    for command in COMMANDS:
        assert connection.pack_command(*command) == [b"".join(plain.pack_command(*command))]
    await client.close()
