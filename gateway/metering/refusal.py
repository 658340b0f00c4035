"""Answers in which a provider declines: flags on the record, so that their user is known.

`content_filter` ends a chat (platform.openai.com/docs/api-reference/chat/object) and makes a
response incomplete; `refusal` is Anthropic's stop reason
(docs.anthropic.com/en/api/handling-stop-reasons), and what an OpenAI model says instead of content.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from gateway.generation import Flag
from gateway.metering.shapes import UNDECODABLE, decode_output

Flags = tuple[Flag, ...]

REFUSED: Final = "refusal"
"""The reason where only the text says so."""

_MAX_NAMES = 16
_MAX_NAME = 100

_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})


def _flags(reason: str) -> Flags:
    return (Flag("provider_refusal", f"The provider refused this request: {reason}"),)


REFUSALS: Final = {reason: _flags(reason) for reason in ("content_filter", REFUSED)}
"""Finish reason -> flags; every other reason is none."""


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
    if not isinstance(reasons, list):
        return ()
    named = listed(reason for reason in reasons if isinstance(reason, str))
    return _flags(named) if named else ()


def listed(names: Iterable[str]) -> str:
    """The first of `names`, as many and as much of each as a record has room for."""
    return ", ".join(name[:_MAX_NAME] for name in islice(names, _MAX_NAMES))


def says_refusal(output: bytes) -> bool:
    """Whether a part of a response's undecoded `output` declines.

    A quote within a string is escaped, so the word in quotes is a key or a whole value; only then
    is it worth a closer look.
    """
    if b'"refusal"' not in output:
        return False
    try:
        items = decode_output(output)
    except UNDECODABLE:
        return False
    return any(part.type == "refusal" for item in items for part in item.content or ())
