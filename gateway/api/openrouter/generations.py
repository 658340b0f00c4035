"""Single generations: OpenRouter's `GET /generation?id=`, and a list, which is ours.

Field names, units and errors: openrouter.ai/docs/api-reference/get-a-generation. Fields under
`hearth` are ours.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context, visible_tenants
from gateway.api.money import usd
from gateway.api.openrouter.endpoint_id import endpoint_id
from gateway.api.query import read_bool, read_int, read_moment, read_query
from gateway.endpoint import Target
from gateway.errors import BadRequest, NotFound
from gateway.generation import Attempt, Generation
from gateway.keys import Keyring, Tenant
from gateway.ledger.store import GenerationQuery
from gateway.request import Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9]{1,18}):(.+)")  # a moment that any store can hold, and an id
FILTERS = (
    *("user", "model", "provider", "status", "flagged", "since", "until"),
    *("key", "limit", "cursor"),
)
_FINISH_REASONS: Mapping[str | None, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "refusal": "content_filter",
}
"""The words of Messages, Responses and older Completions as OpenRouter's, which are Chat's."""


async def get_generation(context: Context, request: Request, target: Target) -> web.Response:
    """One record by our id or the upstream's; NotFound also for another tenant's."""
    tenant = context.keyring.tenant(request)
    wanted = read_query(target.query, ("id",)).get("id")
    if wanted is None:
        raise BadRequest("Parameter `id` is missing", "id")
    store = await context.ledger.fresh()
    generation = await store.generation(wanted, visible_tenants(tenant))
    if generation is None:
        raise NotFound(f"Generation {wanted} not found")
    return json_answer({"data": generation_json(generation)})


async def list_generations(context: Context, request: Request, target: Target) -> web.Response:
    """Newest first; `next` is the cursor of the following page, null on the last."""
    tenant = context.keyring.tenant(request)
    query = read_list_query(read_query(target.query, FILTERS), tenant, context.keyring)
    store = await context.ledger.fresh()
    rows = await store.generations(query)
    following = next_cursor(rows, query)
    return json_answer({"data": [generation_json(row) for row in rows], "next": following})


def read_list_query(values: Mapping[str, str], tenant: Tenant, keyring: Keyring) -> GenerationQuery:
    """What parameters (`FILTERS`) ask for, of what the tenant may see."""
    tenants = visible_tenants(tenant)
    if "key" in values:
        wanted = keyring.named(values["key"]) or values["key"]
        tenants = frozenset((wanted,)) if tenants is None else tenants & {wanted}
    return GenerationQuery(
        tenants=tenants,
        user=values.get("user"),
        model=values.get("model"),
        provider=values.get("provider"),
        status=values.get("status"),
        flagged=read_bool(values, "flagged"),
        since=read_moment(values, "since"),
        until=read_moment(values, "until"),
        before=_read_cursor(values.get("cursor")),
        limit=read_int(values, "limit", default=50, maximum=1000),
    )


def next_cursor(rows: Sequence[Generation], query: GenerationQuery) -> str | None:
    """The cursor of the page after `rows`; None when they are the last."""
    if len(rows) < query.limit:
        return None
    last = rows[-1]
    return urlsafe_b64encode(f"{last.created_at}:{last.id}".encode()).decode().rstrip("=")


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


def generation_json(generation: Generation) -> dict[str, Any]:
    """A generation as OpenRouter's record, with ours under `hearth`."""
    usage = generation.usage
    first_byte = generation.first_byte_ms
    native_reason = generation.finish_reason
    return {
        "id": generation.id,
        "request_id": None,
        "upstream_id": generation.upstream_id,
        "session_id": generation.session_id,
        "external_user": generation.user,
        "app_id": None,
        "created_at": iso_moment(generation.created_at),
        "model": generation.model or "",
        "provider_name": generation.provider,
        "router": None,
        "api_type": generation.api_type,
        "streamed": generation.streamed,
        "cancelled": generation.outcome == "cancelled",
        "finish_reason": _FINISH_REASONS.get(native_reason, native_reason),
        "native_finish_reason": native_reason,
        "latency": generation.latency_ms,
        "generation_time": None if first_byte is None else generation.latency_ms - first_byte,
        "moderation_latency": None,
        "tokens_prompt": usage.prompt_tokens,
        "tokens_completion": usage.completion_tokens,
        "native_tokens_prompt": usage.prompt_tokens,
        "native_tokens_completion": usage.completion_tokens,
        "native_tokens_reasoning": usage.reasoning_tokens,
        "native_tokens_cached": usage.cached_tokens,
        "native_tokens_completion_images": None,
        "num_media_prompt": None,
        "num_media_completion": None,
        "num_input_audio_prompt": None,
        "num_search_results": None,
        "num_fetches": None,
        "usage": usd(generation.cost),
        "total_cost": usd(generation.cost),
        "upstream_inference_cost": None,
        "cache_discount": usd(generation.cache_discount),
        "is_byok": False,
        "provider_responses": [_attempt_json(attempt) for attempt in generation.attempts],
        "origin": "",
        "http_referer": generation.referer,
        "user_agent": generation.user_agent,
        "data_region": "global",
        "service_tier": None,
        "preset_id": None,
        "web_search_engine": None,
        "workspace_id": None,
        "response_cache_source_id": None,
        "hearth": _own_json(generation),
    }


def generation_row(generation: Generation) -> dict[str, Any]:
    """The same as a flat row, for tables."""
    fields = generation_json(generation)
    own: dict[str, Any] = fields.pop("hearth")
    return fields | own


def iso_moment(microseconds: int) -> str:
    """Microseconds since the epoch as ISO 8601 with offset."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "status": attempt.status,
        "provider_name": attempt.provider,
        "model_permaslug": attempt.model or "",
        "endpoint_id": endpoint_id(attempt.provider, attempt.model or ""),
        "is_byok": False,
        "latency": attempt.latency_ms,
        "error": attempt.error,
    }


def _own_json(generation: Generation) -> dict[str, Any]:
    return {
        "key": generation.tenant,
        "endpoint": generation.endpoint,
        "status": generation.status,
        "outcome": generation.outcome,
        "error": generation.error,
        "route": generation.route,
        "user_source": generation.user_source,
        "upstream_model": generation.upstream_model,
        "first_byte": generation.first_byte_ms,
        "usage_estimated": generation.usage.estimated,
        "cache_write_tokens": generation.usage.cache_write_tokens,
        "flags": [{"type": f.type, "description": f.description} for f in generation.flags],
        "title": generation.title,
        "ip_address": generation.peer,
    }


ROW_COLUMNS = tuple(
    generation_row(Generation(id="", created_at=0, tenant="", endpoint="", status=0, outcome="ok"))
)
"""The names in a row of `generation_row`."""
