"""OpenRouter names every (provider, model) it can call by a UUID; ours follow from the names."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("5b4f8c1e-6d0a-5e53-9a4b-1f4a2f6f7c11")


def endpoint_id(provider: str, model: str) -> str:
    """The same UUID for the same names, on every gateway."""
    return str(uuid5(_NAMESPACE, f"{provider}\0{model}"))
