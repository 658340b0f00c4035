"""How an answer ended: why its provider finished, or whether it declined."""

from gateway.metering.json_object import text_or_none
from gateway.metering.refusal import says_refusal
from gateway.metering.shapes import Answer, AnswerChoice

_ENDED = frozenset({"completed", "incomplete", "failed", "cancelled"})


def declines(answer: Answer, choice: AnswerChoice | None) -> bool:
    """Whether the text of the answer does: the first choice's, or a response's."""
    if choice is None:
        return says_refusal(bytes(answer.output))
    said = choice.message
    return said is not None and bool(said.refusal)


def first_choice(answer: Answer) -> AnswerChoice | None:
    """The choice that goes on record; None where the API has no choices."""
    choices = answer.choices
    return choices[0] if choices else None


def finish_reason(answer: Answer, choice: AnswerChoice | None) -> str | None:
    """`choices[0].finish_reason`, `stop_reason`, or why a response is incomplete, else its status
    once it has ended."""
    if choice is not None:
        return text_or_none(choice.finish_reason)
    if answer.stop_reason:
        return text_or_none(answer.stop_reason)
    if not isinstance(answer.status, str) or answer.status not in _ENDED:
        return None
    details = answer.incomplete_details
    reason = details.get("reason") if isinstance(details, dict) else None
    return text_or_none(reason) or answer.status
