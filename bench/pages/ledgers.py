"""The ledgers that pages are shown from: a month of calls that ends now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.redis_server import Server
from bench.sizes.filling import KEPT, fill
from bench.sizes.people import DAYS, month
from gateway.calendar import DAY
from gateway.ledger.opening import open_store
from gateway.ledger.queries import GenerationQuery


class Size(msgspec.Struct, frozen=True):
    """How many users made how many calls."""

    users: int
    generations: int

    @property
    def quiet_user(self) -> str:
        """One of the key `shop` who hardly calls."""
        last = self.users - 1
        return f"user_{last if last % 3 else last - 1:07}"


@contextmanager
def redis_ledger(folder: Path) -> Iterator[str]:
    """The address of an empty Redis server, for as long as the context is open."""
    server = Server(folder)
    try:
        yield server.url
    finally:
        server.kill()


async def fill_if_empty(url: str, size: Size) -> None:
    """What an earlier run put there is kept, as filling takes long."""
    store = await open_store(url, KEPT)
    try:
        if not await store.generations(GenerationQuery(limit=1)):
            start = time.time_ns() // 1000 - DAYS * DAY
            await fill(store, month(size.users, size.generations, start=start), size.generations)
    finally:
        await store.close()
