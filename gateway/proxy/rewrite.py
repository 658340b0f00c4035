"""The rules that change a request's body. Every other byte goes to the provider as it came.

A model's alias is replaced, a stream is asked for its usage, what was meant for Hearth is taken
out, and where the operator wants it, a `prompt_cache_key` is put in.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from gateway.calls.call import Call
from gateway.calls.form import replace_form_field
from gateway.calls.request import Request
from gateway.config import Provider
from gateway.errors import BadRequest

Edits = Mapping[str, str | None]
"""Top-level fields of a JSON body to set, or with None to take out."""

_ASK_USAGE = b',"stream_options":{"include_usage":true}'
_CACHE_KEY_SIZE = 16
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode


def edits_for(call: Call, provider: Provider) -> Edits:
    """What to change in the body for `provider`, apart from the name of the model."""
    edits: dict[str, str | None] = {}
    if not call.is_json:
        return edits
    if call.models:
        edits["models"] = None
    if call.provider is not None and not provider.forwards_preferences:
        edits["provider"] = None
    if call.expects_usage and not provider.forwards_preferences:
        edits["usage"] = None
    if provider.cache_key_secret is not None and _takes_cache_key(call):
        edits["prompt_cache_key"] = _cache_key(call, provider.cache_key_secret)
    return edits


def upstream_body(request: Request, call: Call, model: str | None, provider: Provider) -> bytes:
    """The body to send to `provider`, which knows the model to ask for as `model`."""
    edits = edits_for(call, provider)
    body = request.body
    renames = model is not None and (model != call.model or bool(call.models))
    in_address = call.endpoint.model is not None
    if renames and call.is_json:
        edits = {**edits, "model": None if in_address else model}
    elif renames and not in_address:
        content_type = request.header(b"content-type") or ""
        return replace_form_field(body, content_type, "model", model or "")
    if edits:
        body = _edited(body, edits)
    return _with_usage(body) if call.adds_usage and provider.include_usage else body


def _edited(body: bytes, edits: Edits) -> bytes:
    fields: dict[str, object] = {**_fields_of(body), **edits}
    dropped = [name for name, value in edits.items() if value is None]
    return msgspec.json.encode({n: v for n, v in fields.items() if n not in dropped})


def _takes_cache_key(call: Call) -> bool:
    """Whether its API has the field, and nothing stands there."""
    has_field = call.endpoint.dialect in ("chat", "responses")
    return has_field and call.user is not None and call.prompt_cache_key is None


def _cache_key(call: Call, secret: str) -> str:
    """The same for every call of a user, and nothing that tells who it is."""
    user = f"{call.tenant}\0{call.user.id if call.user else ''}".encode()
    return blake2b(user, digest_size=_CACHE_KEY_SIZE, key=secret.encode()[:64]).hexdigest()


def _with_usage(body: bytes) -> bytes:
    if b'"stream_options"' not in body:
        end = body.rindex(b"}")  # where it counts, should the name be there with an escape in it
        return body[:end] + _ASK_USAGE + body[end:]
    fields = _fields_of(body)
    options = _fields_of(fields.get("stream_options", b"null"))
    return msgspec.json.encode({**fields, "stream_options": {**options, "include_usage": True}})


def _fields_of(text: Any) -> dict[str, msgspec.Raw]:
    """The fields of an object, undecoded; a null has none. BadRequest for what was only skipped
    until now and cannot be decoded, such as a name that is no text. `text` is bytes or a Raw, which
    is bytes to mypy but not to compiled code."""
    try:
        return _decode(text) or {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not a JSON object: {error}") from error
