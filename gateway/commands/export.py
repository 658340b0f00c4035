"""`hearth export`: generations, activity or users as CSV or JSON lines."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from gateway.api.openrouter.activity_item import BY_USER, USER_COLUMNS, activity_row
from gateway.api.openrouter.record import ROW_COLUMNS, generation_row
from gateway.api.table import csv_header, csv_lines
from gateway.api.user_row import USER_TOTALS, user_row
from gateway.calendar import DAY, whole_days
from gateway.commands.arguments import (
    Commands,
    UsageError,
    add_config,
    add_output,
    day,
    end_user,
    read_config,
)
from gateway.commands.output import counting_rows, json_lines, open_output
from gateway.commands.shipper import open_shipper
from gateway.config import Config
from gateway.ledger.paging import pages_of
from gateway.ledger.queries import EVERY_TENANT, ActivityQuery, GenerationQuery, UserQuery
from gateway.ledger.store import Store

Page = list[dict[str, Any]]


class Span(msgspec.Struct, frozen=True):
    """Days since the epoch, both inclusive, and the only user if there is one."""

    since: int
    until: int
    user: str | None


class Format(msgspec.Struct, frozen=True):
    """How rows are written, and what stands before the first."""

    header: Callable[[Sequence[str]], str]
    lines: Callable[[Page, Sequence[str]], str]


class Kind(msgspec.Struct, frozen=True):
    """What can be exported: its columns, and its rows page by page."""

    columns: tuple[str, ...]
    pages: Callable[[Store, Span], AsyncIterator[Page]]


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("export", help="write rows of the ledger as CSV or JSON lines")
    parser.add_argument("what", choices=tuple(KINDS))
    add_config(parser)
    parser.add_argument(
        "--since", type=day, metavar="DAY", help="YYYY-MM-DD (default: all that is kept)"
    )
    parser.add_argument(
        "--until", type=day, metavar="DAY", help="YYYY-MM-DD, inclusive (default: today)"
    )
    parser.add_argument("--user", type=end_user, help="only this end user")
    parser.add_argument("--format", choices=tuple(FORMATS), required=True)
    add_output(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the rows; progress goes to standard error."""
    config = read_config(arguments)
    span = _span(arguments, config)
    asyncio.run(_export(config, KINDS[arguments.what], span, arguments))
    return 0


def _span(arguments: argparse.Namespace, config: Config) -> Span:
    """What was asked for, within what there can be: there are no counts of a day to come."""
    today = whole_days(time.time())
    kept = whole_days(config.ledger.retention.activity)
    since = today - kept if arguments.since is None else arguments.since
    until = today if arguments.until is None else arguments.until
    if until < since:
        ends = "--until" if arguments.until is not None else "today"
        raise UsageError(f"hearth export: {ends} is before --since")
    return Span(max(since, 0), min(until, today), arguments.user)


async def _export(config: Config, kind: Kind, span: Span, arguments: argparse.Namespace) -> None:
    form = FORMATS[arguments.format]
    async with open_shipper(config.ledger) as shipper:
        await shipper.flush()
        with open_output(arguments.output) as out, counting_rows() as count:
            out.write(form.header(kind.columns))
            async for page in kind.pages(shipper.store, span):
                out.write(form.lines(page, kind.columns))
                count(len(page))


async def _generations(store: Store, span: Span) -> AsyncIterator[Page]:
    query = GenerationQuery(user=span.user, since=span.since * DAY, until=(span.until + 1) * DAY)
    async for rows in pages_of(store, query):
        yield [generation_row(row) for row in rows]


async def _activity(store: Store, span: Span) -> AsyncIterator[Page]:
    named = None if span.user is None else frozenset((span.user,))
    for each in range(span.until, span.since - 1, -1):
        query = ActivityQuery(since=each, until=each, users=named, by=frozenset({"user"}))
        if rows := await store.activity(query):
            yield [activity_row(row, BY_USER) for row in rows]


async def _users(store: Store, span: Span) -> AsyncIterator[Page]:
    """By key and name; those of one name are on one page, as there is one for each key at most."""
    if span.user is None:
        async for rows in store.everyone(span.since, span.until):
            yield [user_row(row) for row in rows]
    else:
        named = UserQuery(since=span.since, until=span.until, user=span.user, limit=EVERY_TENANT)
        yield [user_row(row) for row in await store.users(named)]


FORMATS = {
    "csv": Format(csv_header, csv_lines),
    "jsonl": Format(lambda columns: "", lambda page, columns: json_lines(page)),
}

KINDS = {
    "generations": Kind(ROW_COLUMNS, _generations),
    "activity": Kind(USER_COLUMNS, _activity),
    "users": Kind(USER_TOTALS, _users),
}
