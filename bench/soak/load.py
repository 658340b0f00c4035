"""The clients: so many calls a second, each of any one of the users."""

import asyncio
import time
from collections import Counter
from random import Random

import aiohttp
import msgspec

from bench.soak.calls import Caller, Unexpected, any_kind

_ANSWER = aiohttp.ClientTimeout(total=30)
_CLIENTS = 64


class Failure(msgspec.Struct, frozen=True):
    """A call that ended as it should not: `what` and how, `seconds` into the run, and whose it was,
    by whom its record is found."""

    what: str
    seconds: float
    user: str

    def __str__(self) -> str:
        return f"{self.what} ({self.user}, after {self.seconds:.0f} s)"


class Load:
    """`made` has the calls that ended as they should by kind, `failures` the others."""

    def __init__(self, origin: str, rate: float, users: int, seed: int) -> None:
        self.made: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self._origin = origin
        self._pace = _CLIENTS / rate
        self._users = users
        self._seed = seed
        self._began = time.monotonic()

    @property
    def calls(self) -> int:
        """The number of calls that have ended."""
        return self.made.total() + len(self.failures)

    async def run(self) -> None:
        """Call until cancelled."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=_ANSWER) as session:
            caller = Caller(session, self._origin)
            async with asyncio.TaskGroup() as clients:
                for number in range(_CLIENTS):
                    clients.create_task(self._client(caller, Random(f"{self._seed}-{number}")))

    async def _client(self, caller: Caller, chance: Random) -> None:
        await asyncio.sleep(chance.random() * self._pace)
        due = time.monotonic()
        while True:
            await self._call(caller, chance)
            due = max(due + self._pace, time.monotonic() - self._pace)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _call(self, caller: Caller, chance: Random) -> None:
        kind = any_kind(chance)
        user = f"user_{chance.randrange(self._users)}"
        try:
            await kind.call(caller, user)
        except (aiohttp.ClientError, Unexpected, TimeoutError, OSError) as error:
            what = f"{kind.name}: {type(error).__name__}: {error}"
            self.failures.append(Failure(what, time.monotonic() - self._began, user))
        else:
            self.made[kind.name] += 1
