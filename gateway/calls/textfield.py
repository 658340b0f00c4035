"""Fields of a body that hold a text: trimmed, and absent where they are blank."""

from gateway.errors import BadRequest


def text_field(value: object, field: str) -> str | None:
    """A string field, trimmed; None when absent, null or blank."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"`{field}` must be a string", field)
    return value.strip() or None


def hint_field(value: object) -> str | None:
    """One that only steers routing; what else stands there is the provider's affair."""
    return value.strip() or None if isinstance(value, str) else None
