"""The fields in which keys travel: Hearth's own on the way in, a provider's on the way out."""

from collections.abc import Container
from typing import Final

PROVIDER_FIELDS: Final = (b"authorization", b"x-api-key", b"api-key")
"""Fields in which OpenAI, Anthropic and Azure clients send the one key they have."""

_GATEWAY_FIELDS: Final = (b"x-usagepanda-api-key", b"helicone-auth")
"""Fields that carry Hearth's own key and leave `Authorization` to the provider's."""


def presented_key(fields: dict[bytes, bytes]) -> bytes | None:
    """The key in the first of these fields that has one, without its `Bearer`; names of `fields`
    are in lower case."""
    for field in (*_GATEWAY_FIELDS, *PROVIDER_FIELDS):
        value = fields.get(field, b"").strip()
        if value[:7].lower() == b"bearer ":
            value = value[7:].strip()
        if value:
            return value
    return None


def credential(api_key: str | None, path: str, others: Container[bytes]) -> dict[str, str]:
    """The fields with a provider's own key, by the API that is called; none without a key.

    `path` is below the provider's base path, `others` are the request's other fields, by their
    names in lower case. Anthropic wants `x-api-key`, others that speak its API a bearer's token,
    and each passes over the other's field: Claude Code's `apiKeyHelper` sends both too. Azure's
    addresses from before `/openai/v1` want `api-key`.
    """
    if api_key is None:
        return {}
    bearer = {"Authorization": f"Bearer {api_key}"}
    if path.startswith("messages") or b"anthropic-version" in others:
        return {"x-api-key": api_key, **bearer}
    return {"api-key": api_key} if path.startswith("deployments/") else bearer
