"""The shared store: Redis 6.2 or later, or Valkey; one server, a Sentinel set-up or a Cluster.

keys, lifetimes           the data model: every key, and when it expires
script/                   counts, and is all that writes counters; batch: what it is given
applying                  counting parcels with it
builder                   its batch, made of counters and lists; key_table: the keys it refers to
store                     the store's methods; connect, client, resp: the connection they share
generations, unusual      reads of single generations
activity                  reads of hours and days
users, ranking, spans,    reads of users: over any days, of a month, and filtered; spread: how
leaderboard, search       those of a month are spread
periods, hashes           what is kept and who is in it, and what it holds
erasing, expiry, recount  erasing a user, expiry, and the recount
"""

from gateway.ledger.redis.store import RedisStore

__all__ = ["RedisStore"]
