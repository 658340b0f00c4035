"""The connection to Redis: commands go out together, what fails is StoreUnavailable.

Nothing is sent twice from here, but for a script the server did not know: whether what failed may
come again is for the shipper to say.
"""

from collections.abc import Iterable, Iterator, Sequence
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

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, in order: a hash as a dict, all else as Redis sends it."""
        replies: list[Any] = []
        for start in range(0, len(commands), _AT_ONCE):
            replies += await self._good(await self._send(commands[start : start + _AT_ONCE]))
        return replies

    async def run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """What the script replies; a server that does not know it (any more) gets it with the call.

        If one of several servers does not, all calls are made again, which does no harm.
        """
        replies = await self._evaluate(("EVALSHA", _HASH), calls)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            replies = await self._evaluate(("EVAL", SCRIPT), calls)
        good = await self._good(replies)
        if self._replicas and (having := good[-1]) < self._replicas:
            raise StoreUnavailable(
                f"{self.name}: {having} of {self._replicas} replicas have the batch"
            )
        return good[: len(calls)]

    async def close(self) -> None:
        """Let go of all connections."""
        await self._redis.aclose()

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
        """The replies, errors among them."""
        if not commands:
            return []
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return list(await pipeline.execute(raise_on_error=False))
        except _FAILURES as error:
            await self._look_again()
            raise self._unavailable(error) from error

    async def _good(self, replies: Iterable[Any]) -> list[Any]:
        good = list(replies)
        for reply in good:
            if isinstance(reply, Exception):
                if type(reply) is not ResponseError:  # else it was the right server, and refuses
                    await self._look_again()
                raise self._unavailable(reply) from reply
        return good

    async def _look_again(self) -> None:
        """A Cluster is asked anew who serves what: its pipelines do not notice a failover. What
        others have under way there fails."""
        if isinstance(self._redis, RedisCluster):
            await self._redis.aclose()

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"{self.name}: {str(error) or type(error).__name__}")


def with_scores(reply: Sequence[Any]) -> Iterator[tuple[bytes, float]]:
    """The members and scores in a reply to a command with WITHSCORES."""
    return zip(reply[::2], map(float, reply[1::2]), strict=True)
