"""Whether the ledger's counts agree with each other, for `hearth ledger verify`."""

import msgspec

from gateway.ledger.counts import Counts
from gateway.ledger.results import Recount
from gateway.ledger.store import Store


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which the counts disagree; `by_generation` is None where it cannot be compared."""

    day: int
    by_user: Counts
    by_provider: Counts
    by_generation: Counts | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The days looked at, the requests counted on them, and the days that disagree, oldest first.

    `compared_from`: the first day on which single generations were compared too; of earlier ones
    the retention has taken some.
    """

    days: int
    requests: int
    compared_from: int
    drift: tuple[Drift, ...]


async def verify(store: Store) -> Verdict:
    """Recount all that the store holds; slow. Raises StoreUnavailable."""
    recount = await store.recount()
    days = sorted({*recount.by_user, *recount.by_provider, *_comparable(recount)})
    return Verdict(
        days=len(days),
        requests=sum(counts.requests for counts in recount.by_provider.values()),
        compared_from=recount.complete_from,
        drift=tuple(drift for day in days if (drift := _drift(day, recount))),
    )


def _comparable(recount: Recount) -> set[int]:
    return {day for day in recount.by_generation if day >= recount.complete_from}


def _drift(day: int, recount: Recount) -> Drift | None:
    by_user = recount.by_user.get(day, Counts())
    by_provider = recount.by_provider.get(day, Counts())
    by_generation = recount.by_generation.get(day, Counts())
    compared = day >= recount.complete_from
    if by_user == by_provider and (by_provider == by_generation or not compared):
        return None
    return Drift(
        day=day,
        by_user=by_user,
        by_provider=by_provider,
        by_generation=by_generation if compared else None,
    )
