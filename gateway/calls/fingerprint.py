"""What tells a conversation from others when it has no id: the messages it opened with.

They stay the same from turn to turn, and so does the prefix that a provider's cache knows. Which
messages count: openrouter.ai/docs/guides/best-practices/prompt-caching, provider sticky routing.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

_INSTRUCTING = ("system", "developer")


class _Message(msgspec.Struct):
    role: Any = None
    content: Any = None


class _Conversation(msgspec.Struct):
    """`messages` of Chat Completions and Messages, `input` of Responses."""

    messages: list[_Message] = []
    system: Any = None
    input: str | list[_Message] = []
    instructions: Any = None


_decode = msgspec.json.Decoder(_Conversation).decode


def fingerprint(body: bytes) -> str | None:
    """A hash of the first system or developer text and the first other message's text.

    None when the body holds no conversation, or none that opens with text.
    """
    try:
        conversation = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    messages = conversation.messages or _messages(conversation.input)
    instructing = (m.content for m in messages if m.role in _INSTRUCTING)
    opening = next((m.content for m in messages if m.role not in _INSTRUCTING), None)
    told = conversation.system or conversation.instructions or next(instructing, None)
    texts = "\0".join(_texts(told)), "\0".join(_texts(opening))
    return xxh3_128_hexdigest("\1".join(texts).encode()) if texts[1] else None


def _messages(given: str | list[_Message]) -> list[_Message]:
    return [_Message("user", given)] if isinstance(given, str) else given


def _texts(content: object) -> Iterator[str]:
    """The texts alone: marks such as `cache_control` move from turn to turn."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        yield from (text for text in parts if isinstance(text, str))
