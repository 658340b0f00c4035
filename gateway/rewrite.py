"""The two rules that change a request's body: a model's alias, and asking a stream for its usage.

Every other byte goes to the provider as it came.
"""

import msgspec

from gateway.call import Call
from gateway.form import replace_form_field
from gateway.request import Request

_ASK_USAGE = b'"stream_options":{"include_usage":true},'
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_options = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode


def upstream_body(request: Request, call: Call, model: str | None) -> bytes:
    """The body to send to a provider that knows the call's model as `model`."""
    body = request.body
    if model is not None and model != call.model:
        body = _with_model(request, call, model)
    return _with_usage(body) if call.hides_usage else body


def _with_model(request: Request, call: Call, model: str) -> bytes:
    if not call.is_json:
        content_type = request.header(b"content-type") or ""
        return replace_form_field(request.body, content_type, "model", model)
    fields = _fields(request.body)
    return msgspec.json.encode({**fields, "model": model})


def _with_usage(body: bytes) -> bytes:
    if b'"stream_options"' not in body:
        start = body.index(b"{") + 1
        return body[:start] + _ASK_USAGE + body[start:]
    fields = _fields(body)
    options = _options(fields.get("stream_options", b"null")) or {}
    return msgspec.json.encode({**fields, "stream_options": {**options, "include_usage": True}})
