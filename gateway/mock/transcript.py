"""Conversations as the one text a model reads, longest-lived part first.

A conversation that goes on yields a text that begins with the earlier one; prompt caches rest on
that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Message = dict[str, Any]


def transcript(messages: Iterable[Message], *, system: Any = None, tools: Any = None) -> str:
    """Tools, then the system prompt, then the messages in order, a line or more each."""
    head = [_json(tools)] if tools else []
    if system:
        head.append(f"system: {content_text(system)}")
    return "".join(f"{line}\n" for line in (*head, *map(_message_text, messages)))


def content_text(content: Any) -> str:
    """The text in a message's `content`: a string, a list of parts, or nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(map(_part_text, parts))


def _message_text(message: Message) -> str:
    if "role" not in message:
        return _json(message)
    calls = message.get("tool_calls")
    text = content_text(message.get("content"))
    return f"{message['role']}: {text}{_json(calls) if calls else ''}"


def _part_text(part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) else part
    return text if isinstance(text, str) else _json(part)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
