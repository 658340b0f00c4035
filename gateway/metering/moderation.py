"""Answers of a moderation endpoint: platform.openai.com/docs/api-reference/moderations/object."""

from gateway.generation import Flag
from gateway.metering.answer import AnswerMeter
from gateway.metering.refusal import Flags
from gateway.metering.shapes import UNDECODABLE, Answer, AnswerChoice, decode_results


def flagged_categories(results: bytes) -> list[str] | None:
    """The categories that any of the undecoded `results` has, each once; None if none is flagged.

    Raises one of UNDECODABLE for what is no list of results.
    """
    flagged = [result for result in decode_results(results) if result.flagged]
    if not flagged:
        return None
    names = (name for each in flagged for name, applies in each.categories.items() if applies)
    return list(dict.fromkeys(names))


class ModerationMeter(AnswerMeter):
    """Flags the record of a call to `moderations` whose answer flags its input."""

    def _flags(self, answer: Answer, choice: AnswerChoice | None, reason: str | None) -> Flags:
        try:
            categories = flagged_categories(bytes(answer.results))
        except UNDECODABLE:
            return super()._flags(answer, choice, reason)
        if categories is None:
            return ()
        return (Flag("moderation", f"Moderation flagged this input: {', '.join(categories)}"),)
