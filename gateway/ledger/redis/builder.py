"""Building the call that counts generations."""

from collections.abc import Sequence

from msgspec import UNSET

from gateway.calendar import month_of
from gateway.ledger.parcel import Parcel
from gateway.ledger.redis import counters, keys
from gateway.ledger.redis.batch import ScriptBatch, ScriptCall, Totals, Writer, call_of
from gateway.ledger.redis.key_table import KeyTable
from gateway.ledger.redis.keys import Shard
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.lists import Lists
from gateway.ledger.tally import Tally, grouped, tallied


def build_call(
    shard: Shard, fresh: Sequence[Parcel], writers: Sequence[Writer], lifetimes: Lifetimes
) -> ScriptCall:
    """A call that counts `fresh`, each with another id, and moves the positions of `writers`."""
    table = KeyTable(shard, lifetimes)
    groups = grouped(fresh)
    tally = tallied(groups)
    lists = Lists(table)
    for series, parcels in groups.items():
        lists.add(series, parcels)
    _add_periods(lists, tally)
    batch = ScriptBatch(
        writers=writers,
        ids=lists.ids,
        timestamps=lists.timestamps,
        generation_keys=table.append(lists.keys),
        reference_keys=table.append(lists.references),
        referred=lists.referred,
        lists=lists.listed(),
        registers=lists.registered(),
        totals=_totals(table, tally),
        days=[
            counters.day(table, tally, day, tenant, users)
            for (day, tenant), users in tally.days.items()
        ],
        oldest=min((day for day, _ in tally.days), default=UNSET),
        kept_until=str(lifetimes.of_generations),
    )
    return call_of(table, batch, [one.packed for one in tally.parcels])


def _add_periods(lists: Lists, tally: Tally) -> None:
    for hour, tenant in tally.hours:
        lists.add_period(keys.hour(hour), tenant)
    for day, tenant in tally.days:
        lists.add_period(keys.day(day), tenant)
        lists.add_period(keys.month(month_of(day)), tenant)


def _totals(table: KeyTable, tally: Tally) -> list[Totals]:
    hours = [
        counters.totals(table, keys.hour(hour), tenant, rows)
        for (hour, tenant), rows in tally.hours.items()
    ]
    days = [
        counters.totals(table, keys.day(day), tenant, rows)
        for (day, tenant), rows in tally.totals.items()
    ]
    return hours + days
