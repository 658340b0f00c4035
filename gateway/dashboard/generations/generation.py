"""One call: what was asked, who answered, what it cost."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from gateway.api.context import visible_tenants
from gateway.api.openrouter.record import ROW_COLUMNS, generation_record, generation_row
from gateway.dashboard.visit import Page, Table, Visit
from gateway.errors import BadRequest, NotFound
from gateway.generation import Attempt, Extras, Generation, Usage

PARAMETERS = ("id", "format")


class Step(msgspec.Struct, frozen=True):
    """An attempt on the time line: where it begins and how long it is, in parts of 1000."""

    attempt: Attempt
    start: float
    width: float
    is_good: bool


class Line(msgspec.Struct, frozen=True):
    """Tokens in the table of what was used; `whole` is what they are a part of, if of anything."""

    name: str
    tokens: int
    whole: int | None = None


class Details(msgspec.Struct, frozen=True):
    """What the page shows; `record` is the API's, as JSON."""

    one: Generation
    lines: Sequence[Line]
    steps: Sequence[Step]
    record: str


async def show_generation(visit: Visit) -> Page | Table:
    """By our id or the upstream's; NotFound also for another tenant's."""
    wanted, form = visit.place or visit.values.get("id"), visit.form("csv")
    if wanted is None:
        raise BadRequest("Parameter `id` is missing", "id")
    found = await visit.context.ledger.generation(wanted, visible_tenants(visit.tenant))
    if found is None:
        raise NotFound(f"There is no generation {wanted}")
    if form == "csv":
        return Table(found.id, ROW_COLUMNS, _table(found))
    record = msgspec.json.format(msgspec.json.encode(generation_record(found))).decode()
    details = Details(found, _usage_lines(found.usage), _time_line(found), record)
    return Page("generation.html", details)


def _usage_lines(usage: Usage) -> Sequence[Line]:
    """The prompt, the completion and their parts; audio and images only where there are any."""
    extras = usage.extras or Extras()
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    media = (
        Line("audio", extras.prompt_audio_tokens, prompt),
        Line("images", extras.prompt_image_tokens, prompt),
        Line("audio from the cache", extras.cached_audio_tokens, prompt),
        Line("images from the cache", extras.cached_image_tokens, prompt),
    )
    generated = (
        Line("audio", extras.completion_audio_tokens, completion),
        Line("images", extras.completion_image_tokens, completion),
    )
    return (
        Line("Prompt", prompt),
        Line("read from the cache", usage.cached_tokens, prompt),
        Line("written to the cache", usage.cache_write_tokens, prompt),
        *(line for line in media if line.tokens),
        Line("Completion", completion),
        Line("reasoning", usage.reasoning_tokens, completion),
        *(line for line in generated if line.tokens),
    )


def _time_line(generation: Generation) -> Sequence[Step]:
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
