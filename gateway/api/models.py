"""`GET /v1/models`: the models that the configuration names, as OpenAI lists them.

platform.openai.com/docs/api-reference/models/list. Providers that serve any model name none.
"""

from typing import Literal
from urllib.parse import unquote

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context
from gateway.endpoint import Target
from gateway.errors import ModelNotFound
from gateway.request import Request


class ModelItem(msgspec.Struct, frozen=True, kw_only=True):
    """`created` is not known, and 0; `owned_by`: the first provider that serves it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every named model once, in the order of the configuration."""

    object: Literal["list"] = "list"
    data: list[ModelItem]
    total_count: int


async def list_models(context: Context, request: Request, target: Target) -> web.Response:
    """Every model that a provider is configured with."""
    context.keyring.tenant(request)
    models = _models(context)
    return json_answer(ModelList(data=models, total_count=len(models)))


async def get_model(context: Context, request: Request, target: Target) -> web.Response:
    """One model by its name, which may contain slashes; ModelNotFound when none serves it."""
    context.keyring.tenant(request)
    name = unquote(target.endpoint.path.partition("/")[2])
    provider = next((p for p in context.config.providers if p.serves(name)), None)
    if provider is None:
        raise ModelNotFound(f"No provider serves the model `{name}`", "model")
    return json_answer(ModelItem(id=name, owned_by=provider.name))


def _models(context: Context) -> list[ModelItem]:
    owners: dict[str, str] = {}
    for provider in context.config.providers:
        for name in provider.upstream_models or {}:
            owners.setdefault(name, provider.name)
    return [ModelItem(id=name, owned_by=owner) for name, owner in owners.items()]
