"""Fields of a body that hold a text: trimmed, and absent where they are blank."""

from typing import Final

from gateway.errors import BadRequest

MAX_NAME: Final = 512
"""Characters of a text that goes on every record: a model, a session, a program."""


def text_field(value: object, field: str) -> str | None:
    """A string field, trimmed; None when absent, null or blank."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"`{field}` must be a string", field)
    return value.strip() or None


def name_field(value: object, field: str) -> str | None:
    """A string field of MAX_NAME characters at most."""
    name = text_field(value, field)
    if name is not None and len(name) > MAX_NAME:
        raise BadRequest(
            f"`{field}` must have 1 to {MAX_NAME} characters, {len(name)} found", field
        )
    return name


def hint_field(value: object) -> str | None:
    """A text that only steers routing. What is no text, or longer than MAX_NAME, steers nothing and
    is the provider's affair."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return None
    return value.strip() or None
