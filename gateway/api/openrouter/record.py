"""A generation as OpenRouter's record of it, with what is Hearth's own under `hearth`.

Field names, units and words: openrouter.ai/docs/api-reference/get-a-generation.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gateway.api.openrouter.endpoint_id import endpoint_id
from gateway.calendar import iso_moment
from gateway.generation import Attempt, Extras, Generation
from gateway.money import usd

_FINISH_REASONS: Mapping[str | None, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "refusal": "content_filter",
    "failed": "error",
}
"""The words of Messages, Responses and older Completions as OpenRouter's, which are Chat's."""

_TEXT = Extras()


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one provider; `latency` in milliseconds, `id` the provider's where it gave one."""

    status: int | None
    provider_name: str
    model_permaslug: str
    endpoint_id: str
    id: str | UnsetType = UNSET
    is_byok: bool = False
    latency: int
    error: str | None


class FlagRecord(msgspec.Struct, frozen=True):
    """A policy's verdict."""

    type: str
    description: str


class OwnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What OpenRouter has no field for. `first_byte` in milliseconds, `move_cost` in USD."""

    key: str
    endpoint: str
    status: int
    outcome: str
    error: str | None
    route: str | None
    user_source: str | None
    upstream_model: str | None
    first_byte: int | None
    usage_estimated: bool
    cache_write_tokens: int
    moved_from: str | None
    move_cost: float
    flags: list[FlagRecord]
    title: str | None
    ip_address: str | None
    prompt_audio_tokens: int
    prompt_image_tokens: int
    cached_audio_tokens: int
    cached_image_tokens: int
    completion_audio_tokens: int
    web_searches: int


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """OpenRouter's record, in milliseconds and USD; null is what Hearth does not know."""

    id: str
    request_id: str | None = None
    upstream_id: str | None
    session_id: str | None
    external_user: str | None
    app_id: int | None = None
    created_at: str
    model: str
    provider_name: str | None
    router: str | None = None
    api_type: str | None
    streamed: bool
    cancelled: bool
    finish_reason: str | None
    native_finish_reason: str | None
    latency: int
    generation_time: int | None
    moderation_latency: int | None = None
    tokens_prompt: int
    tokens_completion: int
    native_tokens_prompt: int
    native_tokens_completion: int
    native_tokens_reasoning: int
    native_tokens_cached: int
    native_tokens_completion_images: int | None = None
    num_media_prompt: int | None = None
    num_media_completion: int | None = None
    num_input_audio_prompt: int | None = None
    num_search_results: int | None = None
    num_fetches: int | None = None
    usage: float
    total_cost: float
    upstream_inference_cost: float | None = None
    cache_discount: float
    is_byok: bool = False
    provider_responses: list[AttemptRecord]
    origin: str = ""
    http_referer: str | None
    user_agent: str | None
    data_region: str = "global"
    service_tier: str | None
    preset_id: str | None = None
    web_search_engine: str | None = None
    workspace_id: str | None = None
    response_cache_source_id: str | None = None
    hearth: OwnRecord


def finish_reason(generation: Generation) -> str | None:
    """Why the answer ended, in one vocabulary for all APIs."""
    native = generation.finish_reason
    return _FINISH_REASONS.get(native, native)


def generation_record(generation: Generation) -> GenerationRecord:
    """The record of one generation."""
    usage, first_byte = generation.usage, generation.first_byte_ms
    extras = usage.extras or _TEXT
    return GenerationRecord(
        id=generation.id,
        upstream_id=generation.upstream_id,
        session_id=generation.session_id,
        external_user=generation.user,
        created_at=iso_moment(generation.created_at),
        model=generation.model or "",
        provider_name=generation.provider,
        api_type=generation.api_type,
        streamed=generation.streamed,
        cancelled=generation.outcome == "cancelled",
        finish_reason=finish_reason(generation),
        native_finish_reason=generation.finish_reason,
        latency=generation.latency_ms,
        generation_time=None if first_byte is None else generation.latency_ms - first_byte,
        tokens_prompt=usage.prompt_tokens,
        tokens_completion=usage.completion_tokens,
        native_tokens_prompt=usage.prompt_tokens,
        native_tokens_completion=usage.completion_tokens,
        native_tokens_reasoning=usage.reasoning_tokens,
        native_tokens_cached=usage.cached_tokens,
        native_tokens_completion_images=extras.completion_image_tokens or None,
        usage=usd(generation.cost),
        total_cost=usd(generation.cost),
        cache_discount=usd(generation.cache_discount),
        provider_responses=_attempts(generation),
        http_referer=generation.referer,
        user_agent=generation.user_agent,
        service_tier=usage.service_tier,
        hearth=_own(generation),
    )


def _attempts(generation: Generation) -> list[AttemptRecord]:
    """The last one brought the answer, and the answer its id."""
    records = [_attempt(attempt) for attempt in generation.attempts]
    if records and generation.upstream_id:
        records[-1] = msgspec.structs.replace(records[-1], id=generation.upstream_id)
    return records


def _attempt(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        status=attempt.status,
        provider_name=attempt.provider,
        model_permaslug=attempt.model or "",
        endpoint_id=endpoint_id(attempt.provider, attempt.model or ""),
        latency=attempt.latency_ms,
        error=attempt.error,
    )


def _own(generation: Generation) -> OwnRecord:
    extras = generation.usage.extras or _TEXT
    return OwnRecord(
        key=generation.tenant,
        endpoint=generation.endpoint,
        status=generation.status,
        outcome=generation.outcome,
        error=generation.error,
        route=generation.route,
        user_source=generation.user_source,
        upstream_model=generation.upstream_model,
        first_byte=generation.first_byte_ms,
        usage_estimated=generation.usage.estimated,
        cache_write_tokens=generation.usage.cache_write_tokens,
        moved_from=generation.moved_from,
        move_cost=usd(generation.move_cost),
        flags=[FlagRecord(flag.type, flag.description) for flag in generation.flags],
        title=generation.title,
        ip_address=generation.peer,
        prompt_audio_tokens=extras.prompt_audio_tokens,
        prompt_image_tokens=extras.prompt_image_tokens,
        cached_audio_tokens=extras.cached_audio_tokens,
        cached_image_tokens=extras.cached_image_tokens,
        completion_audio_tokens=extras.completion_audio_tokens,
        web_searches=extras.web_searches,
    )


def generation_row(generation: Generation) -> dict[str, Any]:
    """The same as a flat row, for tables."""
    fields: dict[str, Any] = msgspec.to_builtins(generation_record(generation))
    own: dict[str, Any] = fields.pop("hearth")
    return fields | own


ROW_COLUMNS = tuple(
    generation_row(Generation(id="", created_at=0, tenant="", endpoint="", status=0, outcome="ok"))
)
"""The names in a row of `generation_row`."""
