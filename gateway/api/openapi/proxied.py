"""The operations that a provider answers: what Hearth reads of them, and what it adds.

Everything else in a request and in an answer is the provider's to describe.
"""

from typing import Annotated, Any

import msgspec

from gateway.api.openapi.own import operation_id
from gateway.api.openapi.parts import Json, content, failures
from gateway.api.openapi.schemas import Schemas
from gateway.calls.endpoint import ENDPOINTS, Endpoint, parse_target
from gateway.calls.enduser import MAX_USER_ID
from gateway.envelope import Envelope

_REFUSALS = (400, 401, 403, 404, 413, 415, 422, 502, 503, 504, 508)
_FORMS = ("images/edits", "images/variations", "audio/transcriptions", "audio/translations")

_FIELDS: Json = {
    "Helicone-User-Id": "The end user, whatever the body says",
    "x-usagepanda-enforce-user-ids": "`true`: refuse the call if it has no end user",
    "x-hearth-affinity": "`off`: route it as if nobody knew its user",
}
_HEADERS: Json = {
    "X-Generation-Id": "The id to ask `/api/v1/generation` for",
    "X-Hearth-Provider": "Which provider answered",
    "X-Hearth-Route": "Why that one: `home`, `spill`, `failover`, `ramp`, `unkeyed`, `pinned`",
}

UserId = Annotated[str, msgspec.Meta(max_length=MAX_USER_ID)]


class ProxiedCall(msgspec.Struct, frozen=True):
    """The fields that Hearth reads; any other goes to the provider as it came."""

    model: str | None = None
    user: UserId | None = None
    safety_identifier: UserId | None = None
    metadata: dict[str, Any] | None = None
    session_id: str | None = None
    prompt_cache_key: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    models: list[str] | None = None
    provider: dict[str, Any] | None = None


def proxied_paths(prefix: str, schemas: Schemas) -> Json:
    """Path -> what is there, below `prefix`."""
    return {
        f"{prefix}{path}": {"post": _operation(endpoint, f"{prefix}{path}", schemas)}
        for path, endpoint in ENDPOINTS.items()
    }


def _operation(endpoint: Endpoint, path: str, schemas: Schemas) -> Json:
    target = parse_target(path)
    envelope = target.envelope if target else Envelope.OPENAI
    media = "multipart/form-data" if endpoint.path in _FORMS else "application/json"
    answer = {
        "description": "The provider's answer; a stream of events where one was asked for",
        "headers": {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        },
        "content": content({}, "*/*"),
    }
    return {
        "operationId": operation_id("post", path),
        "summary": f"Answered by the user's provider: {endpoint.path}",
        "parameters": [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in _FIELDS.items()
        ],
        "requestBody": {"required": True, "content": content(schemas.of(ProxiedCall), media)},
        "responses": {"200": answer, **_failures(envelope), "default": answer},
    }


def _failures(envelope: Envelope) -> Json:
    """Hearth's own; those of a provider come as they are, whatever their status."""
    responses = failures(_REFUSALS, envelope)
    for response in responses.values():
        (own,) = response["content"].values()
        response["content"] = content({"anyOf": [own["schema"], {}]}, "*/*")
    return responses
