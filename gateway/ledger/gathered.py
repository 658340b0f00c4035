"""A crowd that is small enough to be gathered in memory: added up, looked through, put in order."""

from collections.abc import Callable, Iterable, Mapping
from operator import add
from typing import Any

import msgspec

from gateway.ledger.conditions import Condition, Measure
from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.queries import CrowdPage
from gateway.ledger.results import Crowd, Quantities, UserRow

MEASURES: Mapping[Measure, Callable[[UserRow], Any]] = {
    "user": lambda row: row.user or "",
    "usd": lambda row: row.counts.cost / 1_000_000_000,
    "requests": lambda row: row.counts.requests,
    "prompt_tokens": lambda row: row.counts.prompt_tokens,
    "completion_tokens": lambda row: row.counts.completion_tokens,
    "active_days": lambda row: row.active_days,
    "first_seen": lambda row: row.first_seen,
    "last_seen": lambda row: row.last_seen,
    "requests_per_day": lambda row: row.counts.requests / row.active_days,
    "tokens_per_request": lambda row: (
        (row.counts.prompt_tokens + row.counts.completion_tokens) / row.counts.requests
    ),
}


def merged(parts: Iterable[UserRow]) -> list[UserRow]:
    """Each user once; the parts of one are of different days."""
    people: dict[tuple[str, str | None], UserRow] = {}
    for part in parts:
        name = part.tenant, part.user
        people[name] = _both(people[name], part) if name in people else part
    return list(people.values())


def crowd_of(rows: Iterable[UserRow], condition: Condition, page: CrowdPage) -> Crowd:
    """The page out of everyone."""
    meant = _meant(rows, condition)
    meant.sort(key=lambda row: (row.tenant, row.user or ""))
    meant.sort(key=MEASURES[page.order], reverse=not page.ascending)
    return Crowd(meant[page.offset :][: page.limit], len(meant))


def quantities_of(rows: Iterable[UserRow], condition: Condition) -> Quantities:
    """What everyone has, the least first."""
    meant = _meant(rows, condition)
    return Quantities(
        requests=sorted(row.counts.requests for row in meant),
        cost=sorted(row.counts.cost for row in meant),
    )


def _meant(rows: Iterable[UserRow], condition: Condition) -> list[UserRow]:
    return [row for row in rows if condition.holds(_values_of(row))]


def _values_of(row: UserRow) -> Callable[[Measure], Any]:
    return lambda measure: MEASURES[measure](row)


def _both(one: UserRow, other: UserRow) -> UserRow:
    pairs = map(msgspec.structs.astuple, (one.counts, other.counts))
    return msgspec.structs.replace(
        one,
        counts=Counts(**dict(zip(COUNTERS, map(add, *pairs), strict=True))),
        active_days=one.active_days + other.active_days,
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
    )
