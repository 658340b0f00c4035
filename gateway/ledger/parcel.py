"""A generation on its way into a store: what it is counted and listed by, and all of it as bytes.

Hundreds of them wait at a time, so what they have in common is there once, and the record they are
made of is not kept.
"""

from collections.abc import Iterable

from gateway.generation import Generation, Record
from gateway.ledger.adds import adds_of
from gateway.ledger.packing import pack

Row = tuple[str, str, str]
"""Model, provider and route; empty for none."""


class Series:
    """What many generations have in common: a tenant, and a row of its counts."""

    def __init__(self, tenant: str, row: Row) -> None:
        self.tenant = tenant
        self.row = row


class Parcel:
    """One of a writer's generations. `created_at`, `settled_at`: microseconds since the epoch;
    `adds`: to each counter; `packed`: the whole, as a store keeps it."""

    def __init__(self, writer: str, sequence: int, series: Series, one: Generation) -> None:
        self.writer = writer
        self.sequence = sequence
        self.series = series
        self.id = one.id
        self.created_at = one.created_at
        self.settled_at = self.created_at + one.latency_ms * 1000
        self.user = one.user
        self.status = one.status
        self.outcome = one.outcome
        self.upstream_id = one.upstream_id
        self.is_flagged = bool(one.flags)
        self.adds = adds_of(one)
        self.packed = pack(one)


class Packer:
    """Makes the parcels of one batch."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str | None, str | None, str | None], Series] = {}

    def parcel(self, writer: str, sequence: int, one: Generation) -> Parcel:
        """Of a generation that the writer gave that sequence."""
        return Parcel(writer, sequence, self._series_of(one), one)

    def _series_of(self, one: Generation) -> Series:
        tenant, model, provider, route = one.tenant, one.model, one.provider, one.route
        key = (tenant, model, provider, route)
        series = self._series.get(key)
        if series is None:
            row = (model or "", provider or "", route or "")
            series = self._series[key] = Series(tenant, row)
        return series


def parcels(records: Iterable[Record]) -> list[Parcel]:
    """Of one batch."""
    packer = Packer()
    return [packer.parcel(each.writer, each.sequence, each.generation) for each in records]
