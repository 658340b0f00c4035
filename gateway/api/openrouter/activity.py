"""Daily activity: OpenRouter's rows, and the same rows by end user, which it does not have.

Parameters and errors: openrouter.ai/docs/api-reference/analytics/get-user-activity. Asked for
nothing of ours, the answer has exactly its fields; `user`, `since`, `until`, `include_today`,
`format`, and `group_by` by `user`, `key` and `route` are ours.
"""

import asyncio
from collections.abc import Sequence

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from gateway.api.accept import FORMAT, wants_csv
from gateway.api.answers import csv_answer, json_answer
from gateway.api.context import Context
from gateway.api.days import read_days
from gateway.api.ledger_view import LedgerView, Meta, read_ledger
from gateway.api.openrouter.activity_item import (
    COLUMNS,
    GROUPS,
    ActivityItem,
    activity_item,
    activity_row,
    own_columns,
)
from gateway.api.operation import Day, Parameter
from gateway.api.query import read_bool, read_day, read_query
from gateway.calendar import day_text, whole_days
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import BadRequest
from gateway.keys import Keyring
from gateway.ledger.queries import ActivityQuery, Dimension
from gateway.ledger.results import ActivityRow

PARAMETERS = (
    Parameter("date", "One completed UTC day of the last 30", Day),
    Parameter("api_key_hash", "Of one key, by the SHA-256 of it in hex"),
    Parameter("group_by", "`user`, `key`, `route`, or several of them with commas; Hearth's own"),
    Parameter("user", "Of one end user; Hearth's own"),
    Parameter("since", "The first day; Hearth's own", Day),
    Parameter("until", "The last day; Hearth's own", Day),
    Parameter("include_today", "Also the day that is not over; Hearth's own", bool),
    FORMAT,
)
_ELSEWHERE = ("user_id", "workspace_id")
_KNOWN = (*(parameter.name for parameter in PARAMETERS), *_ELSEWHERE)
_OWN = ("group_by", "user")
_WINDOW = 30

_By = frozenset[Dimension] | None
"""What rows are kept apart by; None where nothing of Hearth's own was asked for."""


class ActivityAnswer(msgspec.Struct, frozen=True):
    """Newest day first; `meta` only where `group_by` or `user` asks for rows of Hearth's own."""

    data: list[ActivityItem]
    meta: Meta | UnsetType = UNSET


async def get_activity(context: Context, request: Request, target: Target) -> web.Response:
    """Rows of the last 30 completed UTC days, or of the days asked for; management keys only."""
    context.keyring.manager(request)
    values = read_query(target.query, _KNOWN)
    today = whole_days(context.now())
    query = _activity_query(values, today, context.keyring)
    by = query.by if any(name in values for name in _OWN) else None
    is_table = wants_csv(values, request)
    reading = await read_ledger(context)
    rows = await read_days(reading.store, query)
    if is_table:
        name = f"activity-{day_text(today)}.csv"
        return await asyncio.to_thread(_as_csv, rows, by, name, reading)
    return await asyncio.to_thread(_as_json, rows, by, reading)


def _as_csv(rows: Sequence[ActivityRow], by: _By, name: str, reading: LedgerView) -> web.Response:
    columns = COLUMNS if by is None else own_columns(by)
    return csv_answer([activity_row(row, by) for row in rows], columns, name, reading.headers)


def _as_json(rows: Sequence[ActivityRow], by: _By, reading: LedgerView) -> web.Response:
    meta = UNSET if by is None else Meta(reading.lag)
    answer = ActivityAnswer([activity_item(row, by) for row in rows], meta)
    return json_answer(answer, headers=reading.headers)


def _activity_query(values: dict[str, str], today: int, keyring: Keyring) -> ActivityQuery:
    _refuse_foreign(values)
    since, until = _days(values, today)
    tenants = None
    if "api_key_hash" in values:
        name = keyring.name_by_hash(values["api_key_hash"])
        tenants = frozenset((name,)) if name else frozenset()
    users = frozenset((values["user"],)) if "user" in values else None
    return ActivityQuery(since=since, until=until, tenants=tenants, users=users, by=_by(values))


def _by(values: dict[str, str]) -> frozenset[Dimension]:
    """What rows are kept apart by; two keys' users of one name are two users."""
    names = values["group_by"].split(",") if "group_by" in values else []
    for name in names:
        if name not in GROUPS:
            raise BadRequest(
                f"Parameter `group_by` takes {', '.join(GROUPS)}; there are no workspaces",
                "group_by",
            )
    by = {GROUPS[name] for name in names}
    return frozenset(by | {"user", "tenant"} if "user" in by or "user" in values else by)


def _refuse_foreign(values: dict[str, str]) -> None:
    """OpenRouter's organisations and workspaces do not exist here; an empty answer would lie."""
    for name in _ELSEWHERE:
        if name in values:
            raise BadRequest(
                f"Parameter `{name}` is about OpenRouter organisations; use `user` for end users",
                name,
            )


def _days(values: dict[str, str], today: int) -> tuple[int, int]:
    """First and last day, both inclusive."""
    last = today if read_bool(values, "include_today") else today - 1
    date = read_day(values, "date")
    if date is not None:
        if not today - _WINDOW <= date <= last:
            raise BadRequest(f"Date must be within the last {_WINDOW} (completed) UTC days", "date")
        return date, date
    since, until = read_day(values, "since"), read_day(values, "until")
    since = today - _WINDOW if since is None else since
    until = last if until is None else until
    if until < since and "until" in values:
        raise BadRequest("Parameter `until` is before `since`", "until")
    if until < since:
        end = f"after {day_text(until)}, the last day; `include_today=true` adds today"
        raise BadRequest(f"Parameter `since` is {end}", "since")
    return since, until
