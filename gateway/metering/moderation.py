"""What moderation says, in an answer of its own or within another one:
platform.openai.com/docs/api-reference/moderations/object, docs.mistral.ai/api/#tag/classifiers."""

from collections.abc import Iterator, Sequence

import msgspec

from gateway.generation import Flag
from gateway.metering.refusal import Flags, listed
from gateway.metering.shapes import (
    UNDECODABLE,
    Moderated,
    ModerationResult,
    decode_moderation,
    decode_results,
)


def flagged_categories(results: bytes) -> str | None:
    """The categories that any of the undecoded `results` has, each once, as a record lists them;
    None if none is flagged.

    Raises one of UNDECODABLE for what is no list of results, or does not tell.
    """
    decoded = decode_results(results)
    if not decoded:
        raise msgspec.ValidationError("There is no result")
    return _categories([result for result in decoded if _is_flagged(result)])


def flags_within(moderation: bytes) -> Flags:
    """The flags of an undecoded `moderation`, which only answers have that were asked for it
    (openai `types/chat/chat_completion.py`, `types/responses/response.py`)."""
    if not moderation:
        return ()
    try:
        told = decode_moderation(moderation)
    except UNDECODABLE:
        return ()
    return () if told is None else _flags("input", told.input) + _flags("output", told.output)


def moderation_flags(what: str, categories: str | None) -> Flags:
    """The flags of an input or an output that was flagged for `categories`."""
    if categories is None:
        return ()
    return (Flag("moderation", f"Moderation flagged this {what}: {categories}"),)


def _flags(what: str, said: Moderated | None) -> Flags:
    if said is None:
        return ()
    results = said.results or [said]
    return moderation_flags(what, _categories([each for each in results if each.flagged]))


def _categories(flagged: Sequence[ModerationResult]) -> str | None:
    if not flagged:
        return None
    return listed(dict.fromkeys(name for each in flagged for name in _applying(each)))


def _is_flagged(result: ModerationResult) -> bool:
    if result.flagged is not None:
        return result.flagged
    if not result.categories:
        raise msgspec.ValidationError("A result does not say whether it is flagged")
    return any(_applying(result))


def _applying(result: ModerationResult) -> Iterator[str]:
    return (name for name, applies in result.categories.items() if applies)
