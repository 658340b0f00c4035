"""What a ledger is asked, by name: every question of the store's protocol."""

from collections.abc import Awaitable, Callable, Iterator
from typing import get_args

import msgspec

from bench.sizes.people import DAYS, FIRST_DAY, RARE
from gateway.calendar import month_of
from gateway.ledger.queries import (
    ActivityQuery,
    GenerationQuery,
    LeaderboardOrder,
    LeaderboardQuery,
    UserQuery,
)
from gateway.ledger.store import Store

Ask = Callable[[Store], Awaitable[object]]

_LAST = FIRST_DAY + DAYS - 1
_SOMEONE = "user_0000042"
_TENANTS = frozenset({"shop"})


def questions() -> Iterator[tuple[str, Ask]]:
    """Each question: its name, and a function that asks it."""
    yield from _generations()
    yield from _days()
    yield from _users()
    yield from _leaderboards()


def _generations() -> Iterator[tuple[str, Ask]]:
    model, provider = RARE
    queries = {
        "newest": GenerationQuery(),
        "newest of a key": GenerationQuery(tenants=_TENANTS),
        "of a user": GenerationQuery(user=_SOMEONE),
        "of a model": GenerationQuery(model=model),
        "of a model and a provider": GenerationQuery(model=model, provider="birch"),
        "of a model and a provider that never met": GenerationQuery(model=model, provider=provider),
        "of an unknown model": GenerationQuery(model="unknown"),
        "of status 502": GenerationQuery(status="502"),
        "of status 502 and a model": GenerationQuery(status="502", model=model),
        "flagged, of a provider": GenerationQuery(flagged=True, provider=provider),
    }
    yield "generation by id", lambda store: store.generation("gen-1-unknown", None)
    for name, query in queries.items():
        yield f"generations: {name}", _list(query)


def _days() -> Iterator[tuple[str, Ask]]:
    month = ActivityQuery(since=FIRST_DAY, until=_LAST)
    by_route = ActivityQuery(since=FIRST_DAY, until=_LAST, by=frozenset({"tenant", "route"}))
    of_user = ActivityQuery(since=FIRST_DAY, until=_LAST, users=frozenset((_SOMEONE,)))
    yield "activity: 30 days", lambda store: store.activity(month)
    yield "activity: 30 days by key and route", lambda store: store.activity(by_route)
    yield "activity: 30 days of a user", lambda store: store.activity(of_user)
    yield "hours: 2 days", lambda store: store.hours(_LAST * 24 - 24, _LAST * 24 + 23, None)
    yield "active users: 30 days", lambda store: store.active_users(FIRST_DAY, _LAST, None)


def _users() -> Iterator[tuple[str, Ask]]:
    for days in (1, 7, 29, 30):
        for order in ("cost", "requests", "tokens", "errors", "flags"):
            fields = {"since": _LAST - days + 1, "until": _LAST, "order": order, "limit": 100}
            query = msgspec.convert(fields, UserQuery)
            yield f"users: {days} days by {order}", _rank(query)
    named = UserQuery(since=FIRST_DAY, until=_LAST, user=_SOMEONE)
    yield "users: one, 30 days", lambda store: store.users(named)


def _leaderboards() -> Iterator[tuple[str, Ask]]:
    month = month_of(FIRST_DAY)
    for order in get_args(LeaderboardOrder):
        query = msgspec.convert({"month": month, "order": order}, LeaderboardQuery)
        yield f"leaderboard by {order}", _leaderboard(query)
    prefix = LeaderboardQuery(month=month, prefix="user_00001")
    yield "leaderboard of a prefix", lambda store: store.leaderboard(prefix)
    yield "spread", lambda store: store.spread(month, None)


def _list(query: GenerationQuery) -> Ask:
    return lambda store: store.generations(query)


def _rank(query: UserQuery) -> Ask:
    return lambda store: store.users(query)


def _leaderboard(query: LeaderboardQuery) -> Ask:
    return lambda store: store.leaderboard(query)
