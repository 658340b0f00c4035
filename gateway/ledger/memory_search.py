"""Searching users whose rows all fit in memory: added up, filtered, sorted."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from gateway.ledger.conditions import Condition, Measure
from gateway.ledger.counts import total
from gateway.ledger.queries import SearchPage
from gateway.ledger.results import Distribution, FoundUsers, UserRow
from gateway.money import usd

VALUE_OF: Mapping[Measure, Callable[[UserRow], Any]] = {
    "user": lambda row: row.user or "",
    "usd": lambda row: usd(row.counts.cost),
    "requests": lambda row: row.counts.requests,
    "prompt_tokens": lambda row: row.counts.prompt_tokens,
    "completion_tokens": lambda row: row.counts.completion_tokens,
    "active_days": lambda row: row.active_days,
    "first_seen": lambda row: row.first_seen,
    "last_seen": lambda row: row.last_seen,
    "requests_per_day": lambda row: row.counts.requests / row.active_days,
    "tokens_per_request": lambda row: row.counts.tokens / row.counts.requests,
}


def merged(parts: Iterable[UserRow]) -> list[UserRow]:
    """One row for each user, of parts that are of different days."""
    users: dict[tuple[str, str | None], UserRow] = {}
    for part in parts:
        name = part.tenant, part.user
        users[name] = _both(users[name], part) if name in users else part
    return list(users.values())


def page_of(rows: Iterable[UserRow], condition: Condition, page: SearchPage) -> FoundUsers:
    """The page, and how many meet the condition."""
    matching = _filtered(rows, condition)
    matching.sort(key=lambda row: (row.tenant, row.user or ""))
    matching.sort(key=VALUE_OF[page.order], reverse=not page.ascending)
    return FoundUsers(matching[page.offset :][: page.limit], len(matching))


def distribution_of(rows: Iterable[UserRow], condition: Condition) -> Distribution:
    """What each who meets the condition has."""
    matching = _filtered(rows, condition)
    return Distribution(
        requests=sorted(row.counts.requests for row in matching),
        cost=sorted(row.counts.cost for row in matching),
    )


def _filtered(rows: Iterable[UserRow], condition: Condition) -> list[UserRow]:
    return [row for row in rows if condition.holds(_values_of(row))]


def _values_of(row: UserRow) -> Callable[[Measure], Any]:
    return lambda measure: VALUE_OF[measure](row)


def _both(one: UserRow, other: UserRow) -> UserRow:
    return msgspec.structs.replace(
        one,
        counts=total((one.counts, other.counts)),
        active_days=one.active_days + other.active_days,
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
    )
