"""Making a client for an address.

redis-py, left alone, sends a command again when its reply was lost, so that one increment counts
twice: retries are off. Version 2 of the protocol has replies of the same form everywhere.
"""

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.ledger.redis.client import Client
from gateway.ledger.redis.resp import packed
from gateway.redisurl import Address


def connect(address: Address) -> Client:
    """A client for the address. Connects when it is first used, and again whenever it must."""
    replicas = address.options.replicas
    if replicas is None:
        replicas = int(address.kind == "sentinel")
    # WAIT has to reply, even that replicas are late, before the socket's own timeout.
    replica_timeout = address.options.timeout / 2
    return Client(_KINDS[address.kind](address), str(address), replicas, replica_timeout)


class _Packing:
    """Beside a connection of redis-py, which packs one argument at a time."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """In few parts; what is called by two words, as `CLIENT SETINFO`, is sent as two."""
        return packed((*args[0].split(), *args[1:]))


def _packing(connection: type) -> type:
    return type(connection.__name__, (_Packing, connection), {})


def _pooled(redis: Redis) -> Redis:
    pool = redis.connection_pool
    pool.connection_class = _packing(pool.connection_class)
    return redis


def _single(address: Address) -> Redis:
    (host, port) = address.hosts[0]
    return _pooled(
        Redis(host=host, port=port, db=address.database, **_login(address), **_common(address))
    )


def _cluster(address: Address) -> RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    cluster = RedisCluster(startup_nodes=nodes, **_login(address), **_common(address))
    # Of the nodes that these tell of, themselves among them.
    options: dict[str, Any] = cluster.get_connection_kwargs()
    options["connection_class"] = _packing(options["connection_class"])
    return cluster


def _sentinel(address: Address) -> Redis:
    options, common = address.options, _common(address)
    sentinels = Sentinel(  # type: ignore[no-untyped-call] # as redis-py has it
        address.hosts,
        sentinel_kwargs=common
        | {"username": options.sentinel_username, "password": options.sentinel_password},
        db=address.database,
        **_login(address),
        **common,
    )
    return _pooled(sentinels.master_for(address.service, redis_class=_Watched))


class _Watched(Redis):
    """The Redis that Sentinels watch; closing it closes the connections to them as well."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        pool: Any = self.connection_pool
        await pool.sentinel_manager.aclose()


_KINDS: dict[str, Callable[[Address], Redis | RedisCluster]] = {
    "single": _single,
    "sentinel": _sentinel,
    "cluster": _cluster,
}


def _login(address: Address) -> dict[str, Any]:
    return {"username": address.username, "password": address.password}


def _common(address: Address) -> dict[str, Any]:
    options = address.options
    given: dict[str, Any] = {
        "socket_connect_timeout": options.connect_timeout,
        "socket_timeout": options.timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "ssl": options.tls,
    }
    if options.tls:
        given |= {
            "ssl_ca_certs": options.ca,
            "ssl_certfile": options.cert,
            "ssl_keyfile": options.key,
        }
    return given
