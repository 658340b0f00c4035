"""A batch out of generations that are all new."""

from collections.abc import Iterable, Sequence

from gateway.calendar import month_of
from gateway.generation import Generation
from gateway.ledger.redis import counters, keys
from gateway.ledger.redis.batch import Batch, Call, Listed, Numbers, Totals, Writer
from gateway.ledger.redis.keys import Keys
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.lists import Lists, moment_of
from gateway.ledger.redis.packing import pack
from gateway.ledger.redis.tally import Tally, rows_of, tallied


def drafted(
    names: Keys, fresh: Sequence[Generation], writers: Sequence[Writer], ends: Lifetimes
) -> Call:
    """A call that counts `fresh`, of which no two have the same id, and moves the writers on."""
    numbers = Numbers(names, ends)
    tally = tallied(fresh)
    batch = Batch(
        writers=writers,
        generations=[numbers.of(names.generation(one.id)) for one in fresh],
        upstream=_upstream(numbers, fresh),
        lists=_lists(numbers, fresh, tally),
        totals=_totals(numbers, tally),
        days=[
            counters.day(numbers, day, tenant, users) for (day, tenant), users in tally.days.items()
        ],
        kept_until=ends.of_generations,
    )
    return numbers.call(batch, [pack(one) for one in fresh])


def _upstream(numbers: Numbers, fresh: Iterable[Generation]) -> list[tuple[int, str]]:
    names = numbers.names
    return [
        (numbers.of(names.upstream(one.tenant, one.upstream_id)), f"{moment_of(one)} {one.id}")
        for one in fresh
        if one.upstream_id
    ]


def _lists(numbers: Numbers, fresh: Iterable[Generation], tally: Tally) -> list[Listed]:
    lists = Lists(numbers)
    for one in fresh:
        lists.keep(one)
    for hour, tenant in tally.hours:
        lists.note(keys.hour(hour), tenant)
    for day, tenant in tally.days:
        lists.note(keys.day(day), tenant)
        lists.note(keys.month(month_of(day)), tenant)
    return list(lists.listed())


def _totals(numbers: Numbers, tally: Tally) -> list[Totals]:
    hours = [
        counters.totals(numbers, keys.hour(hour), tenant, rows)
        for (hour, tenant), rows in tally.hours.items()
    ]
    days = [
        counters.totals(numbers, keys.day(day), tenant, rows_of(users.values()))
        for (day, tenant), users in tally.days.items()
    ]
    return hours + days
