"""Opening the store that a URL asks for."""

from pathlib import Path

from gateway import config
from gateway.ledger.redis import RedisStore
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import Store, StoreUnavailable


async def open_store(url: str, retention: config.Retention) -> Store:
    """The store of `ledger.url`. Raises StoreUnavailable when it cannot be opened."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return await SqliteStore.open(Path(rest))
    if scheme.startswith("redis"):
        return RedisStore.at(url, retention)
    raise StoreUnavailable(f"{scheme}: unknown kind of store; expected `sqlite:` or `redis:`")
