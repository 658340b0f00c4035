"""Answers of a moderation endpoint: platform.openai.com/docs/api-reference/moderations/object,
docs.mistral.ai/api/#tag/classifiers."""

from collections.abc import Iterator

import msgspec

from gateway.generation import Flag
from gateway.metering.answer import AnswerMeter
from gateway.metering.refusal import Flags, listed
from gateway.metering.shapes import (
    UNDECODABLE,
    Answer,
    AnswerChoice,
    ModerationResult,
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
    flagged = [result for result in decoded if _is_flagged(result)]
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


class ModerationMeter(AnswerMeter):
    """Flags the record of a call to `moderations` whose answer flags its input."""

    def _flags(
        self, answer: Answer, choice: AnswerChoice | None, reason: str | None, error: object
    ) -> Flags:
        try:
            categories = flagged_categories(bytes(answer.results))
        except UNDECODABLE:
            return super()._flags(answer, choice, reason, error)
        if categories is None:
            return ()
        return (Flag("moderation", f"Moderation flagged this input: {categories}"),)
