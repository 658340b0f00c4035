"""Single generations: OpenRouter's `GET /generation?id=`, and a list, which is ours.

Parameters and errors: openrouter.ai/docs/api-reference/get-a-generation.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec
from aiohttp import web

from gateway.api.accept import FORMAT, wants_csv
from gateway.api.answers import json_answer, long_answer
from gateway.api.context import Context, visible_tenants
from gateway.api.ledger_view import Meta, read_ledger
from gateway.api.openrouter.record import (
    ROW_COLUMNS,
    GenerationRecord,
    generation_record,
    generation_row,
)
from gateway.api.operation import Moment, Parameter
from gateway.api.query import read_bool, read_choice, read_int, read_moment, read_query
from gateway.api.table import csv_pieces
from gateway.calendar import day_text, whole_days
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import BadRequest, NotFound
from gateway.generation import Generation, Outcome
from gateway.keys import Keyring, Tenant
from gateway.ledger.paging import pages_of
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store

MAX_LIMIT = 1000
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_STATUS = re.compile(r"[1-5][0-9]{2}")
_CURSOR = re.compile(r"([0-9]{1,18}):(.+)")  # a moment that any store can hold, and an id

LIST_PARAMETERS = (
    Parameter("user", "Of one end user"),
    Parameter("no_user", "Of calls that name no end user", Literal["true"]),
    Parameter("model", "Asked for one model"),
    Parameter("provider", "Answered, or at last tried, by one provider"),
    Parameter("status", f"An HTTP status, or one of {', '.join(OUTCOMES)}"),
    Parameter("flagged", "Whether a policy flagged it", bool),
    Parameter("since", "From this moment on", Moment),
    Parameter("until", "Before this moment", Moment),
    Parameter("key", "Of one key: its name, or its SHA-256 in hex"),
    Parameter("limit", "By default 50", Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)]),
    Parameter("cursor", "`next` of the page before"),
    FORMAT,
)
FILTERS = tuple(parameter.name for parameter in LIST_PARAMETERS)
ONE_PARAMETERS = (
    Parameter("id", "Hearth's id of the generation, or the upstream's", required=True),
)


class GenerationAnswer(msgspec.Struct, frozen=True):
    data: GenerationRecord


class GenerationsAnswer(msgspec.Struct, frozen=True):
    """`next`: the cursor of the following page, null on the last."""

    data: list[GenerationRecord]
    next: str | None
    meta: Meta


async def get_generation(context: Context, request: Request, target: Target) -> web.Response:
    """One record by our id or the upstream's; NotFound also for another tenant's."""
    tenant = context.keyring.tenant(request)
    wanted = read_query(target.query, ("id",)).get("id")
    if wanted is None:
        raise BadRequest("Parameter `id` is missing", "id")
    generation = await context.ledger.generation(wanted, visible_tenants(tenant))
    if generation is None:
        raise NotFound(f"Generation {wanted} not found")
    return json_answer(GenerationAnswer(generation_record(generation)))


async def list_generations(context: Context, request: Request, target: Target) -> web.Response:
    """Newest first; a page of them as JSON, or all as a table."""
    tenant = context.keyring.tenant(request)
    values = read_query(target.query, FILTERS)
    query = read_list_query(values, tenant, context.keyring)
    is_table = wants_csv(values, request)
    reading = await read_ledger(context)
    if is_table:
        chunks = csv_pieces(table_rows(reading.store, query, values), ROW_COLUMNS)
        name = f"generations-{day_text(whole_days(context.now()))}.csv"
        return await long_answer(chunks, "text/csv", name, reading.headers)
    rows, following = await read_page(reading.store, query)
    answer = GenerationsAnswer(
        [generation_record(row) for row in rows], following, Meta(reading.lag)
    )
    return json_answer(answer, headers=reading.headers)


def read_list_query(values: Mapping[str, str], tenant: Tenant, keyring: Keyring) -> GenerationQuery:
    """What parameters (`FILTERS`) ask for, of what the tenant may see."""
    tenants = visible_tenants(tenant)
    if "key" in values:
        wanted = keyring.name_by_hash(values["key"]) or values["key"]
        tenants = frozenset((wanted,)) if tenants is None else tenants & {wanted}
    since, until = read_moment(values, "since"), read_moment(values, "until")
    if since is not None and until is not None and until < since:
        raise BadRequest("Parameter `until` is before `since`", "until")
    return GenerationQuery(
        tenants=tenants,
        user=_read_user(values),
        model=values.get("model"),
        provider=values.get("provider"),
        status=_read_status(values),
        flagged=read_bool(values, "flagged"),
        since=since,
        until=until,
        before=_read_cursor(values.get("cursor")),
        limit=read_int(values, "limit", default=50, maximum=MAX_LIMIT),
    )


async def table_rows(
    store: Store, query: GenerationQuery, values: Mapping[str, str]
) -> AsyncIterator[list[dict[str, Any]]]:
    """A table's rows of all that `query` matches, piece by piece; with a `limit`, so many."""
    if "limit" in values:
        yield [generation_row(row) for row in await store.generations(query)]
        return
    async for rows in pages_of(store, query):
        yield [generation_row(row) for row in rows]


async def read_page(
    store: Store, query: GenerationQuery
) -> tuple[Sequence[Generation], str | None]:
    """The rows of a page, and the cursor of the one after it; None where it is the last."""
    rows = await store.generations(msgspec.structs.replace(query, limit=query.limit + 1))
    page = rows[: query.limit]
    if len(page) == len(rows):
        return page, None
    last = f"{page[-1].created_at}:{page[-1].id}"
    return page, urlsafe_b64encode(last.encode()).decode().rstrip("=")


def _read_user(values: Mapping[str, str]) -> str | None:
    """The user's id, an empty one for calls without a user; None for all."""
    if "no_user" not in values:
        return values.get("user")
    if "user" in values:
        raise BadRequest("Parameter `no_user` cannot be given together with `user`", "no_user")
    read_choice(values, "no_user", ("true",), "true")
    return ""


def _read_status(values: Mapping[str, str]) -> str | None:
    status = values.get("status")
    if status is None or status in OUTCOMES or _STATUS.fullmatch(status):
        return status
    known = ", ".join(OUTCOMES)
    raise BadRequest(f"Parameter `status` must be an HTTP status, or one of {known}", "status")


def _read_cursor(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    last = _CURSOR.fullmatch(text)
    if last is None:
        raise BadRequest("Parameter `cursor` is not one that a list returned", "cursor")
    return int(last[1]), last[2]
