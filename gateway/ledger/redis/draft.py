"""A batch out of generations that are all new."""

from collections.abc import Sequence

from msgspec import UNSET

from gateway.calendar import month_of
from gateway.ledger.parcel import Parcel
from gateway.ledger.redis import counters, keys
from gateway.ledger.redis.batch import Batch, Call, Totals, Writer, called
from gateway.ledger.redis.keys import Keys
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.lists import Lists
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.tally import Tally, grouped, tallied


def drafted(
    names: Keys, fresh: Sequence[Parcel], writers: Sequence[Writer], ends: Lifetimes
) -> Call:
    """A call that counts `fresh`, of which no two have the same id, and moves the writers on."""
    numbers = Numbers(names, ends)
    groups = grouped(fresh)
    tally = tallied(groups)
    lists = Lists(numbers)
    for group in groups:
        lists.keep(group)
    _note(lists, tally)
    batch = Batch(
        writers=writers,
        ids=lists.ids,
        moments=lists.moments,
        generations=numbers.follow(lists.keys),
        references=numbers.follow(lists.references),
        referred=lists.referred,
        lists=lists.listed(),
        registers=lists.registered(),
        totals=_totals(numbers, tally),
        days=[
            counters.day(numbers, day, tenant, users) for (day, tenant), users in tally.days.items()
        ],
        oldest=min((day for day, _ in tally.days), default=UNSET),
        kept_until=ends.of_generations,
    )
    return called(numbers, batch, [one.packed for group in groups for one in group.parcels])


def _note(lists: Lists, tally: Tally) -> None:
    for hour, tenant in tally.hours:
        lists.note(keys.hour(hour), tenant)
    for day, tenant in tally.days:
        lists.note(keys.day(day), tenant)
        lists.note(keys.month(month_of(day)), tenant)


def _totals(numbers: Numbers, tally: Tally) -> list[Totals]:
    hours = [
        counters.totals(numbers, keys.hour(hour), tenant, rows)
        for (hour, tenant), rows in tally.hours.items()
    ]
    days = [
        counters.totals(numbers, keys.day(day), tenant, rows)
        for (day, tenant), rows in tally.totals.items()
    ]
    return hours + days
