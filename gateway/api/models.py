"""`GET /v1/models`: the models that the configuration names, as OpenAI lists them.

platform.openai.com/docs/api-reference/models/list. Providers that serve any model name none.
"""

from typing import Any
from urllib.parse import unquote

from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context
from gateway.config import Provider
from gateway.endpoint import Target
from gateway.errors import ModelNotFound
from gateway.request import Request


async def list_models(context: Context, request: Request, target: Target) -> web.Response:
    """Every named model once, in the order of the configuration."""
    context.keyring.tenant(request)
    models = list(_models(context).values())
    return json_answer({"object": "list", "data": models, "total_count": len(models)})


async def get_model(context: Context, request: Request, target: Target) -> web.Response:
    """One model by its name, which may contain slashes; ModelNotFound when none serves it."""
    context.keyring.tenant(request)
    name = unquote(target.endpoint.path.partition("/")[2])
    provider = next((p for p in context.config.providers if p.serves(name)), None)
    if provider is None:
        raise ModelNotFound(f"No provider serves the model `{name}`", "model")
    return json_answer(_model(name, provider))


def _models(context: Context) -> dict[str, dict[str, Any]]:
    models: dict[str, dict[str, Any]] = {}
    for provider in context.config.providers:
        for name in provider.upstream_models or {}:
            models.setdefault(name, _model(name, provider))
    return models


def _model(name: str, provider: Provider) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": provider.name}
