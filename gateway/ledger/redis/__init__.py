"""The shared store: Redis 6.2 or later, or Valkey; one server, a Sentinel set-up or a Cluster.

store                     the store's methods; connect, client: what they send commands by
keys, lifetimes           the data model: every name, and for how long it is there
applying                  records counted by `apply.lua`, which is all that writes counters
batch, draft              what it is given; counters, lists: what is in that; numbering of its keys
generations               single generations
activity                  hours and days
users, ranking, boards,   users of any range of days, of a month, and all of them; spans: out of
crowd                     which periods; periods, people: what those hold
erasing, expiry, recount  forgetting, and counting again
"""

from gateway.ledger.redis.store import RedisStore

__all__ = ["RedisStore"]
