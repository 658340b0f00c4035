"""Real Redis servers on free loopback ports: single, with Sentinels, and as a Cluster."""

import atexit
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

from redis import Redis

from bench.ports import HOST
from bench.redis_server import Server, eventually

SERVICE = "ledger"
SLOTS = 16384
DURABLE = ("appendonly yes", "appendfsync always")
"""Has on its disk what it said it has."""


class Trio:
    """A primary with two replicas, and three Sentinels that watch them.

    `down_after`: milliseconds of silence by which they take the primary for dead, be it that the
    machine is busy.
    """

    def __init__(self, folder: Path, down_after: int) -> None:
        self.primary = Server(folder / "primary")
        follow = (f"replicaof {HOST} {self.primary.port}", "repl-diskless-sync-delay 0")
        self.replicas = [Server(folder / f"replica-{n}", *follow) for n in range(2)]
        for replica in self.replicas:
            eventually(partial(_follows, replica))
        watch = (
            f"sentinel monitor {SERVICE} {HOST} {self.primary.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {down_after}",
            f"sentinel failover-timeout {SERVICE} 3000",
        )
        self.sentinels = [Server(folder / f"sentinel-{n}", *watch) for n in range(3)]

    @property
    def servers(self) -> list[Server]:
        return [self.primary, *self.replicas, *self.sentinels]

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def agree(self) -> None:
        """Wait until the Sentinels know each other and the replicas: they can fail over."""
        for sentinel in self.sentinels:
            eventually(partial(_knows_all, sentinel))


class Cluster:
    """Three nodes with a third of the slots each."""

    def __init__(self, folder: Path) -> None:
        config = ("cluster-enabled yes", "cluster-node-timeout 1000")
        self.servers = [Server(folder / f"node-{n}", *config) for n in range(3)]
        for number, (start, end) in enumerate(pairwise(range(0, SLOTS + 1, SLOTS // 3))):
            end = SLOTS if number == 2 else end
            self.servers[number].command("CLUSTER", "ADDSLOTS", *range(start, end))
            self.servers[number].command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in self.servers[1:]:
            server.command("CLUSTER", "MEET", HOST, self.servers[0].port)
        eventually(lambda: all(map(_is_whole, self.servers)))
        # So short, they find each other soon; but from now on a busy node is no lost one.
        for server in self.servers:
            server.command("CONFIG", "SET", "cluster-node-timeout", 60_000)

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{server.port}" for server in self.servers[:2])
        return f"redis+cluster://{hosts}"


def _follows(replica: Server) -> bool:
    return replica.info("replication")["master_link_status"] == "up"


def _knows_all(sentinel: Server) -> bool:
    with Redis(port=sentinel.port, decode_responses=True) as redis:
        state = redis.sentinel_master(SERVICE)
        return (state["num-other-sentinels"], state["num-slaves"]) == (2, 2)


def _is_whole(node: Server) -> bool:
    with Redis(port=node.port, decode_responses=True) as redis:
        state = redis.execute_command("CLUSTER INFO")
        nodes = redis.execute_command("CLUSTER NODES")
        return state["cluster_state"] == "ok" and len(nodes) == 3


def _shared(folder_name: str) -> Path:
    folder = tempfile.TemporaryDirectory(prefix=f"{folder_name}-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _ended_at_exit(servers: Sequence[Server]) -> None:
    for server in servers:
        atexit.register(server.kill)


@cache
def shared_server() -> Server:
    """One for all tests of this process that leave it as it is."""
    server = Server(_shared("redis"))
    _ended_at_exit([server])
    return server


@cache
def shared_trio() -> Trio:
    """The same of Sentinel."""
    trio = Trio(_shared("sentinel"), down_after=60_000)
    _ended_at_exit(trio.servers)
    return trio


@cache
def shared_cluster() -> Cluster:
    """The same of Cluster."""
    cluster = Cluster(_shared("cluster"))
    _ended_at_exit(cluster.servers)
    return cluster
