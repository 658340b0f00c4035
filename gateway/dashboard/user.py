"""One end user: what they used, where they are at home, and their latest calls."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from gateway.api.openrouter.activity_item import BY_USER, USER_COLUMNS, activity_row
from gateway.calendar import day_text
from gateway.dashboard.charts import COLOURS, NUMBER, Series, draw_bars
from gateway.dashboard.formats import short_day
from gateway.dashboard.personal import export_user
from gateway.dashboard.sums import total
from gateway.dashboard.visit import Chunks, Page, Table, Visit
from gateway.errors import BadRequest, NotFound
from gateway.ledger.store import ActivityQuery, ActivityRow, Counts, GenerationQuery

PARAMETERS = ("id", "key", "days", "format")
SPANS = ("7", "30", "90")

_LATEST = 12
_FLAGGED = 5


class Home(msgspec.Struct, frozen=True):
    """Where a key's user belongs, first choice first, for some models."""

    key: str
    models: Sequence[str]
    providers: Sequence[str]


class Part(msgspec.Struct, frozen=True):
    """What a model, a provider or a day has of the user's calls."""

    name: str
    counts: Counts


async def show_user(visit: Visit) -> Page | Table | Chunks:
    """The page, the user's daily rows as CSV, or all there is as JSON lines. NotFound for one who
    never called."""
    if visit.values.get("format") == "jsonl":
        return await export_user(visit)
    user = visit.place or visit.values.get("id", "")
    days = visit.values.get("days", "30")
    if days not in SPANS:
        raise BadRequest(f"Parameter `days` must be one of {', '.join(SPANS)}", "days")
    since = visit.today - int(days) + 1
    store = await visit.context.ledger.fresh()
    named = frozenset((user,))
    asked = ActivityQuery(since=since, until=visit.today, tenants=visit.tenants, users=named)
    rows = await store.activity(asked)
    latest = GenerationQuery(tenants=visit.tenants, user=user, limit=_LATEST)
    calls = await store.generations(latest)
    if not rows and not calls:
        raise NotFound(f"There is nothing on record of the user {user}")
    if visit.values.get("format") == "csv":
        return Table(f"user-{day_text(visit.today)}", USER_COLUMNS, _table(rows))
    flagged = msgspec.structs.replace(latest, flagged=True, limit=_FLAGGED)
    homes = _homes(visit, user, rows, {call.tenant for call in calls})
    shown: Mapping[str, Any] = {
        "user": user,
        "days": days,
        "spans": SPANS,
        "sum": total(row.counts for row in rows),
        "chart": await _chart(rows, since, visit.today),
        "by_model": _largest(rows, lambda row: row.model or "no model"),
        "by_provider": _largest(rows, lambda row: row.provider or "no provider"),
        "by_day": _grouped(rows, lambda row: day_text(row.day)),
        "homes": homes,
        "at_home": _at_home(rows, homes),
        "calls": calls,
        "flagged": await store.generations(flagged),
    }
    return Page("user.html", shown)


async def _table(rows: Sequence[ActivityRow]) -> AsyncIterator[list[dict[str, Any]]]:
    yield [activity_row(row, BY_USER) for row in rows]


def _grouped(rows: Sequence[ActivityRow], name: Callable[[ActivityRow], str]) -> list[Part]:
    """The rows of each name together, in the order in which the names come."""
    groups: dict[str, list[Counts]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row.counts)
    return [Part(name, total(counts)) for name, counts in groups.items()]


def _largest(rows: Sequence[ActivityRow], name: Callable[[ActivityRow], str]) -> list[Part]:
    """The same, most requests first."""
    return sorted(_grouped(rows, name), key=lambda part: (-part.counts.requests, part.name))


async def _chart(rows: Sequence[ActivityRow], since: int, until: int) -> Markup | None:
    """Requests of each day, a colour a provider: a user at home has one colour."""
    if not rows:
        return None
    labels = range(since, until + 1)
    series = []
    for part in _largest(rows, lambda row: row.provider or "no provider")[:COLOURS]:
        own = [row for row in rows if (row.provider or "no provider") == part.name]
        by_day = {day.name: day.counts.requests for day in _grouped(own, lambda r: day_text(r.day))}
        series.append(Series(part.name, [by_day.get(day_text(day), 0) for day in labels]))
    names = [short_day(day) for day in labels]
    return await draw_bars("Requests by day and provider", names, series, NUMBER)


def _homes(
    visit: Visit, user: str, rows: Sequence[ActivityRow], keys: Collection[str]
) -> list[Home]:
    """For each key that has this user, the order of providers; models that share it together."""
    if "user" not in visit.context.config.sticky.key:
        return []
    models: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for key in sorted({*keys, *(row.tenant or "" for row in rows)}):
        for model in {row.model for row in rows if row.tenant == key} or {None}:
            pool = visit.router.pool(model)
            order = tuple(pool.ring.walk(f"{key}\0{user}".encode())) if len(pool) else ()
            models.setdefault((key, order), set()).add(model or "no model")
    return [Home(key, sorted(names), order) for (key, order), names in models.items()]


def _requests(rows: Sequence[ActivityRow]) -> int:
    return sum(row.counts.requests for row in rows)


def _at_home(rows: Sequence[ActivityRow], homes: Sequence[Home]) -> tuple[int, int]:
    """How many of the requests that reached a provider reached the home of their key and model."""
    first = {
        (home.key, model): home.providers[0]
        for home in homes
        if home.providers
        for model in home.models
    }
    placed = [row for row in rows if row.provider]
    at_home = [
        row
        for row in placed
        if first.get((row.tenant or "", row.model or "no model")) == row.provider
    ]
    return _requests(at_home), _requests(placed)
