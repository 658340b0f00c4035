"""A user's calls taken apart: by model, by provider, by day."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from markupsafe import Markup

from gateway.calendar import day_text
from gateway.dashboard.charts import NUMBER, REST, Series, coloured, draw_bars
from gateway.dashboard.formats import short_day
from gateway.ledger.counts import Counts, total
from gateway.ledger.results import ActivityRow

_MOST = 200


class Part(msgspec.Struct, frozen=True):
    """What a model, a provider or a day has of the user's calls."""

    name: str
    counts: Counts


def by_model(rows: Sequence[ActivityRow]) -> list[Part]:
    """Most requests first, and all beyond so many as one: clients may call models whatever they
    like."""
    parts = _largest(rows, lambda row: row.model or "no model")
    rest = parts[_MOST:]
    if not rest:
        return parts
    return [*parts[:_MOST], Part("other models", total(part.counts for part in rest))]


def by_provider(rows: Sequence[ActivityRow]) -> list[Part]:
    """Most requests first."""
    return _largest(rows, _provider)


def by_day(rows: Sequence[ActivityRow]) -> list[Part]:
    """In the order of the rows."""
    return _grouped(rows, lambda row: day_text(row.day))


async def draw_requests(rows: Sequence[ActivityRow], since: int, until: int) -> Markup | None:
    """Requests of each day, a colour a provider: a user at home has one colour. None without any
    rows."""
    if not rows:
        return None
    days = range(since, until + 1)
    series = await asyncio.to_thread(_requests, rows, days)
    labels = [short_day(day) for day in days]
    return await draw_bars("Requests by day and provider", labels, series, NUMBER)


def _requests(rows: Sequence[ActivityRow], days: range) -> list[Series]:
    apart = coloured([part.name for part in by_provider(rows)])
    requests = {name: dict.fromkeys(days, 0) for name in (*apart, REST)}
    for row in rows:
        requests.get(_provider(row), requests[REST])[row.day] += row.counts.requests
    return [Series(name, list(each.values())) for name, each in requests.items()]


def _provider(row: ActivityRow) -> str:
    return row.provider or "no provider"


def _largest(rows: Sequence[ActivityRow], name: Callable[[ActivityRow], str]) -> list[Part]:
    return sorted(_grouped(rows, name), key=lambda part: (-part.counts.requests, part.name))


def _grouped(rows: Sequence[ActivityRow], name: Callable[[ActivityRow], str]) -> list[Part]:
    """The rows of each name together, in the order in which the names come."""
    groups: dict[str, list[Counts]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row.counts)
    return [Part(name, total(counts)) for name, counts in groups.items()]
