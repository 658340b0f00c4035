"""What the end user says in a request, in the fields where each API has it."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.calls.form import read_form
from gateway.calls.request import Request
from gateway.errors import BadRequest

_FORM_FIELDS = ("prompt", "input")


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
    cannot be read. BadRequest for a body that is no JSON, as it was only skipped through before.
    """
    if is_json:
        fields = _fields(request.body)
    else:
        content_type = request.header(b"content-type") or ""
        fields = [*read_form(request.body, content_type, _FORM_FIELDS).values()]
    return [text for text in _texts(fields) if text.strip()]


def _fields(body: bytes) -> list[Any]:
    try:
        return [*msgspec.structs.astuple(_decode(body))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _fields_of_any_json(body)


def _fields_of_any_json(body: bytes) -> list[Any]:
    """JSON permits numbers of any size (RFC 8259 section 6), and some providers pass over bytes
    that are no UTF-8: nobody is to get past a check with either."""
    try:
        fields = json.loads(body.decode(errors="replace"), parse_int=float)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not a JSON object: {error}") from error
    return [fields.get(name) for name in _Body.__struct_fields__]


def _texts(fields: list[Any]) -> Iterator[str]:
    """The texts, messages and parts of them, in lists or by themselves, however deep."""
    left = fields[::-1]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case list() as items:
                left += reversed(items)
            case {"role": "user", "content": content}:
                left.append(content)
            case {"type": "text" | "input_text", "text": text}:
                left.append(text)
            case {"variables": dict() as variables}:
                # Of a prompt kept by OpenAI: openai `types/responses/response_prompt_param.py`
                left += reversed(variables.values())
