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

_CODES = frozenset(
    {
        "bio_policy",
        "content_filter",
        "content_policy_violation",
        "image_content_policy_violation",
        "moderation_blocked",
        REFUSED,
    }
)
"""Azure's, OpenAI's (openai `types/responses/response_error.py`) and OpenRouter's."""


def _flags(reason: str) -> Flags:
    return (Flag("provider_refusal", f"The provider refused this request: {reason}"),)


REFUSALS: Final = {reason: _flags(reason) for reason in ("content_filter", REFUSED)}
"""Finish reason -> flags; every other reason is none."""


def flags_of_error(error: object) -> Flags:
    """The flags of a decoded `error` value.

    OpenRouter puts the `reasons` of its moderation and an `error_type` into `metadata`, in the
    Messages API the latter beside the type (openrouter.ai/docs/api-reference/errors).
    """
    if not isinstance(error, dict):
        return ()
    metadata = error.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    reasons = metadata.get("reasons")
    if isinstance(reasons, list):
        named = listed(reason for reason in reasons if isinstance(reason, str))
        if named:
            return _flags(named)
    codes = (error.get("code"), error.get("error_type"), metadata.get("error_type"))
    code = next((each for each in codes if isinstance(each, str) and each in _CODES), None)
    return () if code is None else _flags(code)


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
