"""The connection to Redis: commands go out together, what fails is StoreUnavailable.

Nothing is sent twice from here, but for a script the server did not know: whether what failed may
come again is for the shipper to say.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError

from gateway.ledger.redis.batch import ScriptCall
from gateway.ledger.store import StoreUnavailable

# Each part uses what those before it define.
_PARTS = ("batch", "generations", "counters", "users", "apply")

SCRIPT = b"\n".join(
    files(__package__).joinpath("script", f"{part}.lua").read_bytes() for part in _PARTS
)
_HASH = sha1(SCRIPT, usedforsecurity=False).hexdigest()

Command = tuple[str | bytes | int | float, ...]

_AT_ONCE = 1000
# The last two are what comes of a connection that was lost, or closed by another task, just before
# something is sent on it: from uvloop and from redis-py.
_FAILURES = (
    *(RedisError, RedisClusterException, OSError, TimeoutError),
    *(RuntimeError, AttributeError),
)
# From the right server, which refuses. In a Cluster, all other errors may be of a wrong one.
_REFUSALS = (ResponseError, NoScriptError)
# What redis-py puts before the error of each Sentinel: its client, with all that it was made with.
_SENTINEL = re.compile(r"<redis\.asyncio\.client\.Redis\(.*?\)> - ")


class Client:
    """One Redis, however many servers that is; `name` stands in errors.

    `replicas`: how many must have what a script wrote, within `replica_timeout` seconds.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        name: str,
        replicas: int = 0,
        replica_timeout: float = 1.0,
    ) -> None:
        self._redis = redis
        self.name = name
        self._replicas = replicas
        self._replica_timeout = replica_timeout
        self._sending: set[asyncio.Task[list[Any]]] = set()

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, in order: a hash as a dict, all else as Redis sends it."""
        replies: list[Any] = []
        for start in range(0, len(commands), _AT_ONCE):
            replies += self._good(await self._send(commands[start : start + _AT_ONCE]))
        return replies

    async def run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """What the script replies; a server that does not know it (any more) gets it with the call.

        If one of several servers does not, all calls are made again, which does no harm.
        """
        replies = await self._evaluate(("EVALSHA", _HASH), calls)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            replies = await self._evaluate(("EVAL", SCRIPT), calls)
        good = self._good(replies)
        if self._replicas and (having := good[-1]) < self._replicas:
            raise StoreUnavailable(
                f"{self.name}: {having} of {self._replicas} replicas have the batch"
            )
        return good[: len(calls)]

    async def close(self) -> None:
        """Give up what is under way, and let go of all connections."""
        for sending in self._sending:
            sending.cancel()
        if self._sending:
            await asyncio.wait(self._sending)
        await self._let_go()

    async def _evaluate(
        self, script: tuple[str, str | bytes], calls: Sequence[ScriptCall]
    ) -> list[Any]:
        """Replies of the calls, and then, where replicas matter, how many of them have it all."""
        commands: list[Command] = [
            (*script, len(call.keys), *call.keys, *call.args) for call in calls
        ]
        if self._replicas:
            commands.append(("WAIT", self._replicas, int(self._replica_timeout * 1000)))
        return await self._send(commands)

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, errors among them, or the one error why there are none.

        Commands go on when nobody waits for them any more, but not beyond `close`. Many wait for
        less than it takes to give up a node that is silent, and only whoever gives it up asks who
        took its place.
        """
        if not commands:
            return []
        sending = asyncio.create_task(self._replies(commands))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        await asyncio.wait([sending])
        return sending.result()

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                replies = list(await pipeline.execute(raise_on_error=False))
        except _FAILURES as error:
            replies = [error]
        if any(isinstance(each, Exception) and type(each) not in _REFUSALS for each in replies):
            await self._look_again()
        return replies

    def _good(self, replies: list[Any]) -> list[Any]:
        for reply in replies:
            if isinstance(reply, Exception):
                raise self._unavailable(reply) from reply
        return replies

    async def _look_again(self) -> None:
        """A Cluster is asked anew who serves what: its pipelines do not notice a failover. What
        others have under way there fails."""
        if isinstance(self._redis, RedisCluster):
            await self._let_go()

    async def _let_go(self) -> None:
        with suppress(*_FAILURES):  # a connection to a server that hangs may not end in time
            await self._redis.aclose()

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        text = _SENTINEL.sub("", str(error)) or type(error).__name__
        return StoreUnavailable(f"{self.name}: {text}")


def with_scores(reply: Sequence[Any]) -> Iterator[tuple[bytes, float]]:
    """The members and scores in a reply to a command with WITHSCORES."""
    return zip(reply[::2], map(float, reply[1::2]), strict=True)
