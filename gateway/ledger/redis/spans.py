"""Which of the kept periods make up a range of days."""

from collections.abc import Sequence

import msgspec

from gateway.calendar import first_day, last_day, month_of
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part


class Span(msgspec.Struct, frozen=True):
    """A range of days of one tenant on one shard; a user is in one span only.

    `parts` make it up, and are few: a month stands for its days where the range has all of them.
    `months` are those that it touches: they have at least what anybody has in the range.
    """

    parts: Sequence[Part]
    months: Sequence[Part]

    @property
    def tenant(self) -> str:
        return self.months[0].tenant


async def spans(
    client: Client, shards: Shards, since: int, until: int, tenants: frozenset[str] | None
) -> list[Span]:
    """Those of tenants, None for all, that have something between two days, both included."""
    first = max(since, await periods.noted(client, shards, "activity_from"))
    last = last_day(month_of(max(0, until)))
    parts = await periods.parts(client, shards, first, last, "dm")
    wanted = (part for part in parts if tenants is None or part.tenant in tenants)
    found = [_span(kept, first, until) for kept in periods.by_tenant_and_shard(wanted).values()]
    return [span for span in found if span.parts]


def _span(kept: Sequence[Part], since: int, until: int) -> Span:
    months = [part for part in kept if part.period[0] == "m" and first_day(part.number) <= until]
    whole = {
        month.number
        for month in months
        if first_day(month.number) >= since and keys.last_day(month.period) <= until
    }
    days = [
        part
        for part in kept
        if part.period[0] == "d" and part.number <= until and month_of(part.number) not in whole
    ]
    return Span(parts=[*(each for each in months if each.number in whole), *days], months=months)
