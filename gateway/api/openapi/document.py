"""`GET /openapi.json`: the document."""

from functools import cache
from typing import Literal

import msgspec

import gateway
from gateway.api.openapi.own import own_paths, page_paths
from gateway.api.openapi.parts import Json, content, failures
from gateway.api.openapi.proxied import proxied_paths
from gateway.api.openapi.schemas import Schemas
from gateway.envelope import Envelope

PREFIXES = ("/v1/", "/api/v1/")

_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "heliconeAuth": {"type": "apiKey", "in": "header", "name": "Helicone-Auth"},
    "usagePanda": {"type": "apiKey", "in": "header", "name": "x-usagepanda-api-key"},
}


class Health(msgspec.Struct, frozen=True):
    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    status: Literal["ready", "draining"]


@cache
def document() -> bytes:
    """The description as JSON."""
    schemas = Schemas()
    paths: Json = {**_root(schemas), **page_paths(schemas)}
    for prefix in PREFIXES:
        paths |= own_paths(prefix, schemas) | proxied_paths(prefix, schemas)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Hearth",
                "version": gateway.__version__,
                "description": (
                    "What Hearth answers itself, and what it forwards to a provider. Other paths"
                    " below /v1/ are forwarded as they are. The pages for people are not here."
                ),
            },
            "paths": paths,
            "components": {"schemas": schemas.components, "securitySchemes": _SCHEMES},
            "security": [{name: []} for name in _SCHEMES],
        }
    )


def _root(schemas: Schemas) -> Json:
    ready = {"description": "Whether new calls are welcome", "content": _json(schemas, Readiness)}
    numbers = {
        **content({"type": "string"}, "text/plain"),
        **content({"type": "string"}, "application/openmetrics-text"),
    }
    counts = {"description": "In Prometheus' format", "content": numbers}
    return {
        "/healthz": _open(
            "health", "Whether the process lives", {"200": _ok(_json(schemas, Health))}
        ),
        "/readyz": _open(
            "readiness", "Whether new calls are welcome", {"200": ready, "503": ready}
        ),
        "/openapi.json": _open(
            "openapi", "This document", {"200": _ok(content({"type": "object"}))}
        ),
        "/metrics": {
            "get": {
                "operationId": "get_metrics",
                "summary": "The counts of all processes; a management key, unless they are public",
                "responses": {"200": counts, **failures((401, 403), Envelope.OPENAI)},
            }
        },
    }


def _json(schemas: Schemas, kind: type) -> Json:
    return content(schemas.of(kind))


def _ok(media: Json) -> Json:
    return {"description": "As asked", "content": media}


def _open(name: str, summary: str, responses: Json) -> Json:
    """For anyone, without a key."""
    operation = {"operationId": f"get_{name}", "summary": summary, "security": []}
    return {"get": {**operation, "responses": responses}}
