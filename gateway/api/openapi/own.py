"""The operations that Hearth answers itself."""

import re

from gateway.api.openapi.parts import LAG, Json, content, failures, parameter
from gateway.api.openapi.schemas import Schemas
from gateway.api.routes import AT_ROOT, ROUTES, Route
from gateway.calls.endpoint import envelope_at

_ALWAYS = (401,)
_WITH_BODY = (413, 415)
_SEGMENT: Json = {"type": "string", "minLength": 1}


def own_paths(prefix: str, schemas: Schemas) -> Json:
    """Path -> what is there, below `prefix`."""
    return {f"{prefix}{each.path}": _path(each, prefix, schemas) for each in ROUTES}


def page_paths(schemas: Schemas) -> Json:
    """The same for the routes at the root, where browsers get a page."""
    paths: Json = {
        f"/{each.path}": _path(each, "/", schemas) for each in ROUTES if each.path in AT_ROOT
    }
    for path in paths.values():
        answer = path["get"]["responses"]["200"]
        answer["content"] |= content({"type": "string"}, "text/html")
    return paths


def _path(each: Route, prefix: str, schemas: Schemas) -> Json:
    segments = re.findall(r"{(\w+)}", each.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _SEGMENT} for name in segments
    ]
    operation = _operation(each, prefix, schemas)
    return {each.method.lower(): operation} | ({"parameters": parameters} if segments else {})


def _operation(each: Route, prefix: str, schemas: Schemas) -> Json:
    spec = each.operation
    envelope = each.envelope or envelope_at(f"{prefix}{each.path}")
    statuses = {*_ALWAYS, *spec.errors, *(_WITH_BODY if spec.body else ())}
    operation: Json = {
        "operationId": operation_id(each.method, f"{prefix}{each.path}"),
        "summary": spec.summary,
        "parameters": [parameter(one, schemas.of(one.type)) for one in spec.parameters],
        "responses": {"200": _answer(each, schemas), **failures(statuses, envelope)},
    }
    if spec.body is not None:
        body = {"required": True, "content": content(schemas.of(spec.body))}
        operation["requestBody"] = body
    return operation


def operation_id(method: str, path: str) -> str:
    """An id that is unique, and a valid name in any language."""
    return "_".join((method.lower(), *re.findall(r"[a-z0-9]+", path.lower())))


def _answer(each: Route, schemas: Schemas) -> Json:
    spec = each.operation
    media = content(schemas.of(spec.answer))
    if spec.tables:
        media |= content({"type": "string"}, "text/csv")
    answer: Json = {"description": spec.summary, "content": media}
    return answer | ({"headers": LAG} if spec.counts else {})
