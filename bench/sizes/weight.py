"""How many bytes a store takes, in its own words."""

import sqlite3
from contextlib import closing
from pathlib import Path

from redis.asyncio import Redis


async def bytes_of(url: str) -> int:
    """A SQLite file with nothing left in its log, or the memory of a whole Redis server."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return _file_size(Path(rest))
    async with Redis.from_url(url.partition("?")[0]) as redis:
        info: dict[str, int] = await redis.info("memory")
        return info["used_memory"]


def _file_size(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return path.stat().st_size
