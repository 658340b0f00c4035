"""`GET /models`: the models that the configuration names, for clients of three APIs at once.

platform.openai.com/docs/api-reference/models, openrouter.ai/docs/api-reference/models/get-models
and docs.anthropic.com/en/api/models-list. Their fields do not collide, and clients pass over those
they do not know; what Hearth does not know is null or empty. Providers that serve any model name
none.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, unquote

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context
from gateway.api.operation import Parameter
from gateway.api.query import read_int
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.config import Provider
from gateway.errors import ModelNotFound, NotFound

_UNKNOWN_PRICE = "-1"
"""As OpenRouter has it for models whose price depends on where they run."""

_MAX_OFFSET = 1_000_000
_ENDPOINTS = re.compile(r".+/.+/endpoints")
PARAMETERS = (
    Parameter("offset", "How many to skip", Annotated[int, msgspec.Meta(ge=0, le=_MAX_OFFSET)]),
)
"""Other parameters, by which clients narrow their lists, are ignored: the list is whole."""


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """OpenRouter's kinds of input and output: not known, as Hearth passes on whatever comes."""

    modality: str | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()


class Pricing(msgspec.Struct, frozen=True):
    """OpenRouter's: USD a token, as decimal text."""

    prompt: str
    completion: str


class TopProvider(msgspec.Struct, frozen=True, kw_only=True):
    """OpenRouter's limits of the first provider; `is_moderated` by `policies.moderation`."""

    is_moderated: bool
    context_length: int | None = None
    max_completion_tokens: int | None = None


class Links(msgspec.Struct, frozen=True):
    """OpenRouter's: where there is more about a model."""

    details: str


class NextPage(msgspec.Struct, frozen=True):
    """OpenRouter's link to the next page: none, as the list comes whole."""

    next: str | None = None


class ModelItem(msgspec.Struct, frozen=True, kw_only=True):
    """`owned_by`: the first provider that serves it, whose price is given. `created` is not known:
    0, which Anthropic's clients read as the date 1970-01-01 that their API says it with."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str

    type: Literal["model"] = "model"
    display_name: str
    created_at: str = "1970-01-01T00:00:00Z"
    lifecycle: Literal["active"] = "active"

    name: str
    canonical_slug: str
    context_length: int | None = None
    architecture: Architecture = Architecture()
    pricing: Pricing
    top_provider: TopProvider
    supported_parameters: tuple[str, ...] = ()
    supported_voices: tuple[str, ...] | None = None
    per_request_limits: None = None
    default_parameters: None = None
    links: Links


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every named model once, in the order of the configuration. `total_count`: those passed over
    by `offset` too; OpenRouter's clients ask for what follows the list until nothing does."""

    object: Literal["list"] = "list"
    data: list[ModelItem]
    total_count: int
    links: NextPage = NextPage()
    has_more: Literal[False] = False
    first_id: str | None
    last_id: str | None


class ModelAnswer(msgspec.Struct, frozen=True):
    """One model, in OpenRouter's envelope."""

    data: ModelItem


class Count(msgspec.Struct, frozen=True):
    """How many models there are."""

    count: int


class ModelCount(msgspec.Struct, frozen=True):
    """The same, in OpenRouter's envelope."""

    data: Count


async def list_models(context: Context, request: Request, target: Target) -> web.Response:
    """Every model that a provider is configured with."""
    context.keyring.tenant(request)
    offset = read_int(dict(parse_qsl(target.query)), "offset", 0, _MAX_OFFSET, minimum=0)
    owners = _owners(context)
    models = [_item(context, *each) for each in list(owners.items())[offset:]]
    first, last = (models[0].id, models[-1].id) if models else (None, None)
    return json_answer(
        ModelList(data=models, total_count=len(owners), first_id=first, last_id=last)
    )


async def count_models(context: Context, request: Request, target: Target) -> web.Response:
    """How many models the list has."""
    context.keyring.tenant(request)
    return json_answer(ModelCount(Count(len(_owners(context)))))


async def get_model(context: Context, request: Request, target: Target) -> web.Response:
    """One model by its name, which may contain slashes; ModelNotFound when none serves it."""
    return json_answer(_named_model(context, request, target))


async def describe_model(context: Context, request: Request, target: Target) -> web.Response:
    """The same, in OpenRouter's envelope."""
    return json_answer(ModelAnswer(_named_model(context, request, target)))


def _named_model(context: Context, request: Request, target: Target) -> ModelItem:
    """NotFound also for OpenRouter's `models/{author}/{slug}/endpoints`: most of what that has to
    say of a provider, such as how long a context it takes, Hearth does not know."""
    context.keyring.tenant(request)
    name = unquote(target.endpoint.path.partition("/")[2])
    if _ENDPOINTS.fullmatch(name):
        raise NotFound("Hearth lists no endpoints of a model; /api/v1/route tells who serves it")
    provider = next((p for p in context.config.providers if p.serves(name)), None)
    if provider is None:
        raise ModelNotFound(f"No provider serves the model `{name}`", "model")
    return _item(context, name, provider)


def _owners(context: Context) -> dict[str, Provider]:
    """Model -> the first provider that serves it."""
    owners: dict[str, Provider] = {}
    for provider in context.config.providers:
        for name in provider.upstream_models or {}:
            owners.setdefault(name, provider)
    return owners


def _item(context: Context, name: str, owner: Provider) -> ModelItem:
    return ModelItem(
        id=name,
        owned_by=owner.name,
        display_name=name,
        name=name,
        canonical_slug=name,
        pricing=_pricing(context, name, owner),
        top_provider=TopProvider(is_moderated=context.config.policies.moderation is not None),
        links=Links(f"/api/v1/models/{quote(name)}"),
    )


def _pricing(context: Context, name: str, owner: Provider) -> Pricing:
    rates = context.prices.per_million(owner.name, owner.upstream_model(name))
    return Pricing(_UNKNOWN_PRICE, _UNKNOWN_PRICE) if rates is None else Pricing(*map(_usd, rates))


def _usd(nano_per_million: int) -> str:
    """Nano-dollars for a million tokens -> USD for one."""
    return f"{Decimal(nano_per_million).scaleb(-15).normalize():f}"
