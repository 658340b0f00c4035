"""Every key in Redis: this file and the script in `script/` are the whole data model.

A store is divided into shards; an end user with all that belongs to it is on one of them. A single
server has one shard, a Cluster sixteen. The braces make all keys of a shard share a hash slot, so
that one script call can change them together. `P` is a period: `h` and an hour or `d` and a day
(since the epoch), or `m` and a month (since January 1970), e.g. `h480000`, `d20000` and `m657`.
Moments are microseconds since the epoch; a generation's is that of its creation.

    hearth{SHARD}:
        writers                 hash    writer -> sequence of its last applied record
        writer-days             zset    writer, by the last day it counted on
        tenants                 zset    tenant, by the moment of its newest generation
        periods                 zset    P:TENANT of which something is kept, by its last day
        retention               hash    complete_from, activity_from, kept_from -> the first day
                                        kept whole, kept by user, and kept at all; longest -> for
                                        how many seconds generations were kept at most
        erasing                 zset    TENANT:USER whose erasure has begun and not ended
        version                 string  of the layout of all this; see script/
        hold                    string  exists while a recount lets nothing change

        generation:ID           string  all of it; see ledger/packing.py
        upstream:TENANT:ID      string  of the newest with that upstream id: its moment and own id
        newest:TENANT           zset    generation id, by its moment
        newest:TENANT:USER      zset    the same of one end user, who is empty where calls name none
        served:TENANT:MODEL:PROVIDER    the same of one model at one provider
        pairs:TENANT            zset    MODEL:PROVIDER that have such a list, by its newest moment
        unusual:TENANT:KIND     zset    the same of a status not 200, an outcome not ok, `flagged`

        totals:dDAY:TENANT      hash    MODEL:PROVIDER:ROUTE:COUNTER -> integer
        totals:hHOUR:TENANT     hash    MODEL:PROVIDER::COUNTER -> integer
        erased:dDAY:TENANT      hash    COUNTER -> integer, of users whose own rows were erased
        rows:dDAY:TENANT        hash    MODEL:PROVIDER:ROUTE -> a number, from 1
        user:dDAY:TENANT:USER   hash    NUMBER:COUNTER -> integer; first, last -> moment
        user:mMONTH:TENANT:USER hash    COUNTER -> integer; first, last; days -> a bit for each day
        board:P:TENANT:ORDER    zset    user, by minus what `ORDER` says
        spread:mMONTH:TENANT    hash    MEASURE:BAR -> how many users have so much; see spread.py

Counters are exact 64-bit integers. The score of a sorted set is a double: exact to 2^53,
nine million dollars in nano-dollars for one user in one period. Beyond that two users who are that
close may be in the wrong order; their counters are read from the hashes and stay exact. Scores are
negative so that ascending order has the highest first, and equals by name. A counter that is zero
is not kept, in hashes nor on the boards of a day (`requests` is never zero).

Every key expires (EXPIREAT) a day after its content is past its retention; see lifetimes.py.

Names that people choose are escaped: with a `%` or `:` in them, two keys could become one.
"""

from collections.abc import Sequence
from urllib.parse import unquote

import xxhash

from gateway import calendar

DAY_ORDERS = ("requests", "cost", "tokens", "errors", "flags")
MONTH_ORDERS = (
    *DAY_ORDERS,
    "user",
    "active_days",
    "last_seen",
    "requests_per_day",
    "tokens_per_request",
    "latency",
)


def hour(number: int) -> str:
    """The period of an hour."""
    return f"h{number}"


def day(number: int) -> str:
    """The period of a day."""
    return f"d{number}"


def month(number: int) -> str:
    """The period of a month."""
    return f"m{number}"


def last_day(period: str) -> int:
    """The day a period ends with."""
    number = int(period[1:])
    if period[0] == "h":
        return number // 24
    return number if period[0] == "d" else calendar.last_day(number)


def joined(*parts: str) -> str:
    """Parts with colons between them; `split` is the reverse."""
    return ":".join([escaped(part) for part in parts])


def escaped(part: str) -> str:
    """A part with its colons escaped."""
    if "%" in part or ":" in part:
        return part.replace("%", "%25").replace(":", "%3A")
    return part


def split(text: bytes) -> Sequence[str]:
    """The parts of what was joined."""
    return [unquote(part) for part in text.decode().split(":")]


class Shard:
    """The keys of one shard."""

    def __init__(self, prefix: str, shard: int) -> None:
        self._start = f"{prefix}{{{shard}}}:"
        self.writers = self._key("writers")
        self.writer_days = self._key("writer-days")
        self.tenants = self._key("tenants")
        self.periods = self._key("periods")
        self.retention = self._key("retention")
        self.erasing = self._key("erasing")
        self.version = self._key("version")
        self.hold = self._key("hold")
        self._generations = self._before("generation")

    def generation(self, generation_id: str) -> str:
        return self._generations + escaped(generation_id)

    def upstreams(self, tenant: str) -> str:
        """The prefix of each `upstream` of a tenant."""
        return self._before("upstream", tenant)

    def upstream(self, tenant: str, upstream_id: str) -> str:
        return self.upstreams(tenant) + escaped(upstream_id)

    def newest(self, tenant: str) -> str:
        return self._key("newest", tenant)

    def newest_of_users(self, tenant: str) -> str:
        """The prefix of each `newest_of_user` of a tenant."""
        return self._before("newest", tenant)

    def newest_of_user(self, tenant: str, user: str) -> str:
        return self.newest_of_users(tenant) + escaped(user)

    def served(self, tenant: str, model: str, provider: str) -> str:
        return self._key("served", tenant, model, provider)

    def pairs(self, tenant: str) -> str:
        return self._key("pairs", tenant)

    def unusual(self, tenant: str, kind: str) -> str:
        return self._key("unusual", tenant, kind)

    def totals(self, period: str, tenant: str) -> str:
        return self._key("totals", period, tenant)

    def erased(self, period: str, tenant: str) -> str:
        return self._key("erased", period, tenant)

    def rows(self, period: str, tenant: str) -> str:
        return self._key("rows", period, tenant)

    def users(self, period: str, tenant: str) -> str:
        """The prefix of each `user` of a tenant in a period."""
        return self._before("user", period, tenant)

    def user(self, period: str, tenant: str, user: str) -> str:
        return self.users(period, tenant) + escaped(user)

    def board(self, period: str, tenant: str, order: str) -> str:
        return self._key("board", period, tenant, order)

    def spread(self, period: str, tenant: str) -> str:
        return self._key("spread", period, tenant)

    def _key(self, *parts: str) -> str:
        return self._start + joined(*parts)

    def _before(self, *parts: str) -> str:
        return self._key(*parts) + ":"


class Shards:
    """The shards of a store. Their number must never change, as users would move."""

    def __init__(self, prefix: str, count: int) -> None:
        self.all = tuple(Shard(prefix, number) for number in range(count))

    def of(self, tenant: str, user: str | None) -> Shard:
        """The shard of an end user; calls without a user count as one more user."""
        if len(self.all) == 1:
            return self.all[0]
        name = joined(tenant, user or "").encode()
        return self.all[xxhash.xxh3_64_intdigest(name) % len(self.all)]
