"""Answers in which a provider declines: flags on the record, so that their user is known.

`content_filter` ends a chat (platform.openai.com/docs/api-reference/chat/object) and makes a
response incomplete; `refusal` is Anthropic's stop reason
(docs.anthropic.com/en/api/handling-stop-reasons), and what an OpenAI model says instead of content.
"""

from typing import Any

import msgspec

from gateway.generation import Flag

Flags = tuple[Flag, ...]

REFUSED = "refusal"
"""The reason where only the text says so."""

_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})


def _flags(reason: str) -> Flags:
    return (Flag("provider_refusal", f"The provider refused this request: {reason}"),)


REFUSALS = {reason: _flags(reason) for reason in ("content_filter", REFUSED)}
"""Finish reason -> flags; every other reason is none."""


class Message(msgspec.Struct):
    """The part of a chat's message that says whether it declines."""

    refusal: Any = None


class _Part(msgspec.Struct):
    type: Any = None


class _Item(msgspec.Struct):
    content: list[_Part] | None = None


_decode_items = msgspec.json.Decoder(list[_Item]).decode


def flags_of_error(error: object) -> Flags:
    """The flags of a decoded `error` value.

    Codes: Azure's and OpenAI's; OpenRouter lists the `reasons` in its metadata
    (openrouter.ai/docs/api-reference/errors, moderation errors).
    """
    if not isinstance(error, dict):
        return ()
    code, metadata = error.get("code"), error.get("metadata")
    if isinstance(code, str) and code in _CODES:
        return _flags(code)
    reasons = metadata.get("reasons") if isinstance(metadata, dict) else None
    if isinstance(reasons, list) and reasons:
        return _flags(", ".join(str(reason) for reason in reasons[:16]))
    return ()


def says_refusal(output: bytes) -> bool:
    """Whether a part of a response's undecoded `output` declines.

    A quote within a string is escaped, so the word in quotes is a key or a whole value; only then
    is it worth a closer look.
    """
    if b'"refusal"' not in output:
        return False
    try:
        items = _decode_items(output)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return any(part.type == "refusal" for item in items for part in item.content or ())
