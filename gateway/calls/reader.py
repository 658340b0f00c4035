"""Bytes -> Call: what the head says, what the body says, and whose request it is."""

from typing import Final

import msgspec

from gateway.calls.body import NULL, Body, read_form_fields, read_json_fields, read_names
from gateway.calls.call import Call
from gateway.calls.endpoint import Endpoint
from gateway.calls.enduser import find_end_user
from gateway.calls.request import Request
from gateway.calls.textfield import hint_field, name_field
from gateway.envelope import Envelope
from gateway.errors import BadRequest

MAX_MODELS = 16
_MODELS = f"`models` must be a list of 1 to {MAX_MODELS} models"
_OPENROUTER: Final = Envelope.OPENROUTER  # found once, as finding an enum's member takes calls
_LONGEST_MODELS = 128 * 1024
"""Bytes: so many names as long as may be are shorter, however they are escaped."""


def read_call(
    request: Request, endpoint: Endpoint, tenant: str, envelope: Envelope = Envelope.OPENAI
) -> Call:
    """The Call in `request` to the API that `envelope` tells; BadRequest names the field that is
    wrong."""
    head, raw = request.head, request.body
    parsed = head.parsed
    is_read = endpoint.known and bool(raw)
    is_json = is_read and parsed.form is None
    body = _read(raw, parsed.form) if is_read else Body()
    stream = body.stream
    model, models = _model(body, endpoint), _models(body.models)
    if models and model:
        models = tuple(dict.fromkeys((model, *models)))
    return Call(
        endpoint=endpoint,
        tenant=tenant,
        user=find_end_user(head, body),
        safety_identifier=hint_field(body.safety_identifier),
        session_id=hint_field(body.session_id) or parsed.session_id,
        prompt_cache_key=hint_field(body.prompt_cache_key),
        model=model or (models[0] if models else None),
        stream=stream is not None and stream in (True, "true"),
        asks_usage=_asks_usage(body.stream_options),
        expects_usage=isinstance(body.usage, dict) and body.usage.get("include") is True,
        knows_null_usage=envelope is not _OPENROUTER,
        is_json=is_json,
        models=models,
        provider=None if body.provider is NULL else bytes(body.provider),
        affinity=parsed.affinity,
        overrides=parsed.overrides,
    )


def _read(raw: bytes, form: str | None) -> Body:
    return read_json_fields(raw) if form is None else read_form_fields(raw, form)


def _model(body: Body, endpoint: Endpoint) -> str | None:
    named = name_field(body.model, "model")
    if endpoint.model is None:
        return named
    if named is not None and named != endpoint.model:
        raise BadRequest("`model` is not the one that the address names", "model")
    return endpoint.model


def _models(undecoded: msgspec.Raw) -> tuple[str, ...]:
    """OpenRouter's `models`: the next one is asked for when nobody answers for the one before."""
    if undecoded is NULL:
        return ()
    listed = _listed(bytes(undecoded))
    if listed is None:
        return ()
    if not 0 < len(listed) <= MAX_MODELS:
        raise BadRequest(_MODELS, "models")
    names = [name_field(each, "models") for each in listed]
    return tuple(name for name in dict.fromkeys(names) if name)


def _listed(text: bytes) -> list[str] | None:
    """The names in a list; one that is longer than any that is permitted is not even decoded."""
    if len(text) > _LONGEST_MODELS:
        raise BadRequest(_MODELS, "models")
    try:
        names: list[str] | None = read_names(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(_MODELS, "models") from error
    return names


def _asks_usage(stream_options: object) -> bool:
    if stream_options is None:
        return False
    if not isinstance(stream_options, dict):
        raise BadRequest("`stream_options` must be an object", "stream_options")
    return stream_options.get("include_usage") is True
