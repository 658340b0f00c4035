"""Daily activity: OpenRouter's rows, and the same rows by end user, which it does not have.

Parameters, row and errors: openrouter.ai/docs/api-reference/analytics/get-user-activity. Asked for
nothing of ours, the answer has exactly its fields; `user`, `group_by=user`, `since`, `until`,
`include_today` and `format` are ours.
"""

from typing import Any

from aiohttp import web

from gateway.api.answers import csv_answer, json_answer
from gateway.api.context import Context
from gateway.api.money import usd
from gateway.api.openrouter.endpoint_id import endpoint_id
from gateway.api.query import day_text, read_bool, read_day, read_query
from gateway.endpoint import Target
from gateway.errors import BadRequest
from gateway.keys import Keyring
from gateway.ledger.store import ActivityQuery, ActivityRow
from gateway.request import Request

COLUMNS = (
    *("date", "model", "model_permaslug", "endpoint_id", "provider_name", "usage"),
    *("byok_usage_inference", "requests", "prompt_tokens", "completion_tokens"),
    *("reasoning_tokens", "cached_tokens"),
)
USER_COLUMNS = (*COLUMNS, "user", "errors", "flags")

_THEIRS = ("date", "api_key_hash", "user_id", "group_by", "workspace_id")
_OURS = ("user", "since", "until", "include_today", "format")
_DAY = 86400
_WINDOW = 30


async def get_activity(context: Context, request: Request, target: Target) -> web.Response:
    """Rows of the last 30 completed UTC days, or of the days asked for; management keys only."""
    context.keyring.manager(request)
    values = read_query(target.query, _THEIRS + _OURS)
    today = int(context.now()) // _DAY
    query = _activity_query(values, today, context.keyring)
    store = await context.ledger.fresh()
    rows = [activity_json(row, by_user=query.by_user) for row in await store.activity(query)]
    if _wants_csv(values, request):
        columns = USER_COLUMNS if query.by_user else COLUMNS
        return csv_answer(rows, columns, f"activity-{day_text(today)}.csv")
    return json_answer({"data": rows})


def _activity_query(values: dict[str, str], today: int, keyring: Keyring) -> ActivityQuery:
    _refuse_foreign(values)
    since, until = _days(values, today)
    tenants = None
    if "api_key_hash" in values:
        name = keyring.named(values["api_key_hash"])
        tenants = frozenset((name,)) if name else frozenset()
    user = values.get("user")
    by_user = user is not None or values.get("group_by") == "user"
    return ActivityQuery(since=since, until=until, tenants=tenants, user=user, by_user=by_user)


def _refuse_foreign(values: dict[str, str]) -> None:
    """OpenRouter's organisations and workspaces do not exist here; an empty answer would lie."""
    if values.get("group_by", "user") != "user":
        raise BadRequest("Parameter `group_by` must be `user`; there are no workspaces", "group_by")
    for name in ("user_id", "workspace_id"):
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
    if until < since:
        raise BadRequest("Parameter `until` is before `since`", "until")
    return since, until


def _wants_csv(values: dict[str, str], request: Request) -> bool:
    if values.get("format", "json") not in ("json", "csv"):
        raise BadRequest("Parameter `format` must be `json` or `csv`", "format")
    accept = request.header(b"accept") or ""
    return values.get("format", "csv" if "text/csv" in accept else "json") == "csv"


def activity_json(row: ActivityRow, *, by_user: bool) -> dict[str, Any]:
    """A row with OpenRouter's fields, and with the user's where rows are by user."""
    counts = row.counts
    model, provider = row.model or "", row.provider or ""
    fields = {
        "date": day_text(row.day),
        "model": model,
        "model_permaslug": model,
        "endpoint_id": endpoint_id(provider, model),
        "provider_name": provider,
        "usage": usd(counts.cost),
        "byok_usage_inference": 0.0,
        "requests": counts.requests,
        "prompt_tokens": counts.prompt_tokens,
        "completion_tokens": counts.completion_tokens,
        "reasoning_tokens": counts.reasoning_tokens,
        "cached_tokens": counts.cached_tokens,
    }
    if not by_user:
        return fields
    return {**fields, "user": row.user, "errors": counts.errors, "flags": counts.flags}
