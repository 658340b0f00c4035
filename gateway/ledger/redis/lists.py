"""The lists that a batch's generations, models, tenants and periods are added to."""

from typing import Final

from gateway.ledger.parcel import Parcel, Series
from gateway.ledger.redis import keys
from gateway.ledger.redis.key_table import KeyTable
from gateway.ledger.redis.unusual import kinds_of

_DIGITS: Final = 16
"""Of microseconds since 1970, from 2001 to 2286."""


class Lists:
    """A batch's generations in the order of their keys, the references to them, and what each list
    is given."""

    def __init__(self, table: KeyTable) -> None:
        self.ids: list[str] = []
        self.timestamps: list[str] = []
        self.keys: list[str] = []
        self.references: list[str] = []
        self.referred: list[int] = []
        self._table = table
        self._end = table.lifetimes.of_generations
        self._lists: dict[int, list[int]] = {}
        self._registers: dict[int, list[int | str]] = {}

    def add(self, series: Series, parcels: list[Parcel]) -> None:
        """Some generations, each to all the lists it belongs on but its user's."""
        shard, tenant = self._table.shard, series.tenant
        model, provider, _ = series.row
        before, upstreams = len(self.ids), shard.upstreams(tenant)
        for one in parcels:
            self._add(one, tenant, upstreams)
        indexes = range(before + 1, len(self.ids) + 1)
        self._list(shard.newest(tenant)).extend(indexes)
        self._list(shard.served(tenant, model, provider)).extend(indexes)
        latest = max(self.timestamps[before:])
        self._register(shard.pairs(tenant), self._end, latest, keys.joined(model, provider))
        self._register(shard.tenants, self._table.lifetimes.of_registers, latest, tenant)

    def add_period(self, period: str, tenant: str) -> None:
        """An hour, a day or a month of which something is kept."""
        table, last = self._table, str(keys.last_day(period))
        member = keys.joined(period, tenant)
        self._register(table.shard.periods, table.lifetimes.of_registers, last, member)

    def listed(self) -> list[list[int]]:
        """See batch.ScriptBatch."""
        return [[number, *indexes] for number, indexes in self._lists.items()]

    def registered(self) -> list[list[int | str]]:
        """See batch.ScriptBatch."""
        return list(self._registers.values())

    def _add(self, one: Parcel, tenant: str, upstreams: str) -> None:
        shard, own_id = self._table.shard, one.id
        self.ids.append(own_id)
        self.timestamps.append(_timestamp(one))
        self.keys.append(shard.generation(own_id))
        if upstream_id := one.upstream_id:
            self.references.append(upstreams + keys.escaped(upstream_id))
            self.referred.append(len(self.ids))
        for kind in kinds_of(one.status, one.outcome, one.is_flagged):
            self._list(shard.unusual(tenant, kind)).append(len(self.ids))

    def _list(self, key: str) -> list[int]:
        return self._lists.setdefault(self._table.expiring(key, self._end), [])

    def _register(self, key: str, expire_at: int, score: str, member: str) -> None:
        number = self._table.expiring(key, expire_at)
        self._registers.setdefault(number, [number]).extend((score, member))


def _timestamp(one: Parcel) -> str:
    """When it was created, as text that sorts like the number."""
    timestamp = str(one.created_at)
    return timestamp if len(timestamp) == _DIGITS else timestamp.zfill(_DIGITS)
