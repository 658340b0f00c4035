"""One call: what was asked, who answered, what it cost."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from gateway.api.context import visible_tenants
from gateway.api.openrouter.record import ROW_COLUMNS, generation_record, generation_row
from gateway.dashboard.visit import Page, Table, Visit
from gateway.errors import BadRequest, NotFound
from gateway.generation import Attempt, Generation

PARAMETERS = ("id", "format")


class Step(msgspec.Struct, frozen=True):
    """An attempt on the time line: where it begins and how long it is, in parts of 1000."""

    attempt: Attempt
    start: float
    width: float
    is_good: bool


class Call(msgspec.Struct, frozen=True):
    """What the page shows; `record` is the API's, as JSON."""

    one: Generation
    steps: Sequence[Step]
    record: str


async def show_generation(visit: Visit) -> Page | Table:
    """By our id or the upstream's; NotFound also for another tenant's."""
    wanted = visit.place or visit.values.get("id")
    if wanted is None:
        raise BadRequest("Parameter `id` is missing", "id")
    found = await visit.context.ledger.generation(wanted, visible_tenants(visit.tenant))
    if found is None:
        raise NotFound(f"There is no generation {wanted}")
    if visit.values.get("format") == "csv":
        return Table(found.id, ROW_COLUMNS, _table(found))
    record = msgspec.json.format(msgspec.json.encode(generation_record(found))).decode()
    return Page("generation.html", Call(found, time_line(found), record))


def time_line(generation: Generation) -> Sequence[Step]:
    """The attempts one after the other, as parts of the whole call."""
    whole = max(generation.latency_ms, sum(each.latency_ms for each in generation.attempts), 1)
    steps: list[Step] = []
    start = 0
    for attempt in generation.attempts:
        good = attempt.error is None and attempt.status is not None and attempt.status < 400
        width = max(4.0, attempt.latency_ms / whole * 1000)
        steps.append(Step(attempt, min(start / whole * 1000, 996.0), width, good))
        start += attempt.latency_ms
    return steps


async def _table(generation: Generation) -> AsyncIterator[list[dict[str, Any]]]:
    yield [generation_row(generation)]
