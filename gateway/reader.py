"""Bytes -> Call: what the head says, what the body says, and whose request it is."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gateway.body import Body, read_form_body, read_json_body, text_field
from gateway.call import Call
from gateway.endpoint import Endpoint
from gateway.enduser import find_end_user
from gateway.errors import BadRequest
from gateway.request import HEADS, Head, Request

MAX_MODELS = 16


class _Hints(NamedTuple):
    """What a head says about its call; `form` is the Content-Type of a form."""

    form: str | None
    session_id: str | None
    affinity: bool
    overrides: Mapping[str, str]


def read_call(request: Request, endpoint: Endpoint, tenant: str) -> Call:
    """The Call in `request`; BadRequest names the field that is wrong."""
    hints = _hints_in(request.head)
    is_read = endpoint.known and bool(request.body)
    is_json = is_read and hints.form is None
    body = Body()
    if is_json:
        body = read_json_body(request.body)
    elif is_read:
        body = read_form_body(request.body, hints.form or "")
    model, models = text_field(body.model, "model"), _models(body.models)
    if models and model:
        models = tuple(dict.fromkeys((model, *models)))
    return Call(
        endpoint=endpoint,
        tenant=tenant,
        user=find_end_user(request, body),
        safety_identifier=_hint(body.safety_identifier),
        session_id=_hint(body.session_id) or hints.session_id,
        prompt_cache_key=_hint(body.prompt_cache_key),
        model=model or next(iter(models), None),
        stream=body.stream in (True, "true"),
        asks_usage=_asks_usage(body.stream_options),
        is_json=is_json,
        models=models,
        provider=bytes(body.provider),
        affinity=hints.affinity,
        overrides=hints.overrides,
    )


@lru_cache(maxsize=HEADS)
def _hints_in(head: Head) -> _Hints:
    content_type = head.field(b"content-type") or ""
    return _Hints(
        form=content_type if content_type[:19].lower() == "multipart/form-data" else None,
        session_id=head.field(b"x-session-id"),
        affinity=(head.field(b"x-hearth-affinity") or "").lower() != "off",
        overrides={
            name.decode("latin-1"): value.decode("latin-1").strip()
            for name, value in head.fields.items()
            if name.startswith(b"x-usagepanda-")
        },
    )


def _hint(value: object) -> str | None:
    """A string field that only steers routing; what else stands there is the provider's affair."""
    return value.strip() or None if isinstance(value, str) else None


def _models(value: object) -> tuple[str, ...]:
    """OpenRouter's `models`: the next one is asked for when nobody answers for the one before."""
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= MAX_MODELS:
        raise BadRequest(f"`models` must be a list of 1 to {MAX_MODELS} models", "models")
    names = [text_field(each, "models") for each in value]
    return tuple(name for name in dict.fromkeys(names) if name)


def _asks_usage(stream_options: object) -> bool:
    if stream_options is None:
        return False
    if not isinstance(stream_options, dict):
        raise BadRequest("`stream_options` must be an object", "stream_options")
    return stream_options.get("include_usage") is True
