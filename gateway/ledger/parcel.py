"""A generation on its way into a store: what it is counted and listed by, and all of it as bytes.

Hundreds of them wait at a time, so what they have in common is shared, and the record that a parcel
is made of is not kept.
"""

from collections.abc import Iterable

from gateway.calendar import HOUR
from gateway.generation import Generation, Record
from gateway.ledger.increments import increments_of
from gateway.ledger.packing import pack

Row = tuple[str, str, str]
"""Model, provider and route; empty for none."""


class Series:
    """What many generations have in common: the number of their hour, a tenant, and a row of
    counters."""

    def __init__(self, hour: int, tenant: str, row: Row) -> None:
        self.hour = hour
        self.tenant = tenant
        self.row = row


class Parcel:
    """One of a writer's generations. `created_at`, `settled_at`: microseconds since the epoch;
    `increments`: of each counter; `packed`: the whole, as a store keeps it."""

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
        self.increments = increments_of(one)
        self.packed = pack(one)


class Packer:
    """Makes the parcels of one batch."""

    def __init__(self) -> None:
        self._series: dict[tuple[int, str, str | None, str | None, str | None], Series] = {}

    def parcel(self, writer: str, sequence: int, one: Generation) -> Parcel:
        """The parcel of a generation, which has that sequence in its writer's journal."""
        return Parcel(writer, sequence, self._series_of(one), one)

    def _series_of(self, one: Generation) -> Series:
        hour, tenant = one.created_at // HOUR, one.tenant
        model, provider, route = one.model, one.provider, one.route
        key = (hour, tenant, model, provider, route)
        series = self._series.get(key)
        if series is None:
            row = (model or "", provider or "", route or "")
            series = self._series[key] = Series(hour, tenant, row)
        return series


def parcels(records: Iterable[Record]) -> list[Parcel]:
    """The parcels of one batch."""
    packer = Packer()
    return [packer.parcel(each.writer, each.sequence, each.generation) for each in records]
