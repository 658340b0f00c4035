"""What spans say, by the semantic conventions for generative AI and for HTTP.

opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans and …/http/http-spans. What has no name
there begins with `hearth.`.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from gateway.calls.endpoint import Dialect, Endpoint
from gateway.config import Provider
from gateway.generation import Generation
from gateway.money import usd

Value = str | int | float | tuple[str, ...]
Attributes = dict[str, Value]

_OPERATIONS: Mapping[Dialect, str] = {
    "chat": "chat",
    "responses": "chat",
    "messages": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
}

_NAMES: Mapping[str, str] = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "openai.azure.com": "azure.ai.openai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.mistral.ai": "mistral_ai",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "api.cohere.com": "cohere",
}
"""Host, or the end of it -> well-known value of `gen_ai.provider.name`."""


def operation(endpoint: Endpoint) -> str:
    """`gen_ai.operation.name`; the path for what the conventions have no word for."""
    return _OPERATIONS.get(endpoint.dialect, endpoint.path if endpoint.known else "other")


def provider_name(settings: Provider) -> str:
    """`gen_ai.provider.name`: whose API it is, else what the provider is called here."""
    host = urlsplit(settings.base_url).hostname or ""
    ends = (name for end, name in _NAMES.items() if host == end or host.endswith(f".{end}"))
    return next(ends, settings.name)


def of_generation(generation: Generation) -> Attributes:
    """All that a settled record tells; what it does not know is left out."""
    usage = generation.usage
    values: dict[str, Value | None] = {
        "http.response.status_code": generation.status,
        "error.type": _error_type(generation),
        "enduser.id": generation.user,
        "gen_ai.request.model": generation.model,
        "gen_ai.response.model": generation.upstream_model,
        "gen_ai.response.id": generation.upstream_id,
        "gen_ai.response.finish_reasons": _listed(generation.finish_reason),
        "gen_ai.conversation.id": generation.session_id,
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        "hearth.generation.id": generation.id,
        "hearth.key": generation.tenant,
        "hearth.outcome": generation.outcome,
        "hearth.provider": generation.provider,
        "hearth.route": generation.route,
        "hearth.moved_from": generation.moved_from,
        "hearth.cost_usd": usd(generation.cost),
        "hearth.flags": tuple(flag.type for flag in generation.flags) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def is_failure(generation: Generation) -> bool:
    """Whether a server's span counts it as an error: a client's fault is none."""
    return generation.is_error and not 400 <= generation.status < 500


def _error_type(generation: Generation) -> str | None:
    """A status says what kind of error an answer was; for one that broke off, the outcome does."""
    if generation.outcome == "ok":
        return None
    return str(generation.status) if generation.status >= 400 else generation.outcome


def _listed(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)
