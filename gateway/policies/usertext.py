"""What the end user says in a request, in the fields where each API has it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.calls.form import read_form
from gateway.calls.request import Request

_FORM_FIELDS = ("prompt", "input")
_TEXT_PARTS = ("text", "input_text")


class _Body(msgspec.Struct):
    """Chat and Messages; Completions and images; Responses, embeddings and speech; rerank."""

    messages: Any = None
    prompt: Any = None
    input: Any = None
    query: Any = None


_decode = msgspec.json.Decoder(_Body).decode


def user_texts(request: Request, *, is_json: bool) -> list[str]:
    """Every text in the user's name, in order: their messages, the prompt or the input.

    System prompts, the model's own turns and tools' results are not the user's. Tokens and files
    cannot be read. Raises what decoding raises, as the body was only skipped through before.
    """
    if is_json:
        body = _decode(request.body)
        fields = [body.messages, body.prompt, body.input, body.query]
    else:
        content_type = request.header(b"content-type") or ""
        fields = [*read_form(request.body, content_type, _FORM_FIELDS).values()]
    return [text for text in _texts(fields) if text.strip()]


def _texts(value: object) -> Iterator[str]:
    """A text, a message or a part of one, or any of them in a list."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts_of_object(value)


def _texts_of_object(value: dict[str, Any]) -> Iterator[str]:
    if value.get("role") == "user":
        yield from _texts(value.get("content"))
    elif value.get("type") in _TEXT_PARTS:
        yield from _texts(value.get("text"))
