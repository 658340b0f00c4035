"""The shared store: Redis 6.2 or later, or Valkey; one server, a Sentinel set-up or a Cluster."""

from gateway.ledger.redis.store import RedisStore

__all__ = ["RedisStore"]
