"""Usage out of an answer that comes in one piece: a JSON body, read once, when it is complete."""

from typing import Final

from gateway.metering.base import Meter
from gateway.metering.encoding import MAX_READ, Inflater, Unreadable
from gateway.metering.estimate import Estimate, tokens_in
from gateway.metering.fault import error_message
from gateway.metering.reading import Reading
from gateway.metering.refusal import (
    REFUSALS,
    REFUSED,
    Flags,
    flags_of_error,
    says_refusal,
)
from gateway.metering.shapes import UNDECODABLE, Answer, AnswerChoice, decode_answer
from gateway.metering.usage import read_cost, read_usage

_MAX_TEXT: Final = 512
_ENDED = frozenset({"completed", "incomplete", "failed", "cancelled"})
_PENDING = ("queued", "in_progress")
"""Of a response in the background: nothing is said yet (openai `types/responses/response.py`)."""


def text_or_none(value: object) -> str | None:
    """A decoded value that ought to be a short string; None when it is none, or empty, or longer
    than what a record has room for."""
    return value or None if isinstance(value, str) and len(value) <= _MAX_TEXT else None


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


class AnswerMeter(Meter):
    """Passes a JSON answer on unchanged and reads a copy of it, up to MAX_READ bytes."""

    def __init__(self, status: int, inflater: Inflater | None, estimate: Estimate) -> None:
        super().__init__()
        self._status = status
        self._inflater = inflater
        self._estimate = estimate
        self._pieces: list[bytes] = []
        self._size = 0
        self._reading: Reading | None = None

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        if self._size <= MAX_READ:
            self._pieces.append(data)
        else:
            self._pieces.clear()
        return data

    def finish(self) -> bytes:
        if self._size <= MAX_READ:
            pieces = self._pieces
            self._reading = self._read(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        self._pieces.clear()
        return b""

    def reading(self) -> Reading:
        return self._reading or Reading(usage=self._estimate.usage(tokens_in(self._size)))

    def _read(self, body: bytes) -> Reading | None:
        try:
            answer = decode_answer(self._inflater.feed(body) if self._inflater else body)
        except (Unreadable, *UNDECODABLE):
            return None
        choice, usage = first_choice(answer), answer.usage
        # OpenRouter has it in the body or in its choice, under a successful status as well.
        error = answer.error or (None if choice is None else choice.error)
        said = 0 if answer.status in _PENDING else self._size
        counted = read_usage(usage, answer.tool_usage, answer.service_tier)
        return Reading(
            usage=counted or self._estimate.usage(tokens_in(said)),
            upstream_id=text_or_none(answer.id),
            finish_reason=(reason := finish_reason(answer, choice)),
            cost=read_cost(usage),
            error=self._message(answer, error),
            flags=self._flags(answer, choice, reason, error),
        )

    def _flags(
        self, answer: Answer, choice: AnswerChoice | None, reason: str | None, error: object
    ) -> Flags:
        flags = REFUSALS.get(REFUSED if declines(answer, choice) else reason or "", ())
        return flags or flags_of_error(error)

    def _message(self, answer: Answer, error: object) -> str | None:
        """The error's text; `detail` and `message` hold it only where the status says so."""
        message = error_message(error)
        if self._status < 400:
            return message
        return message or error_message(answer.detail) or error_message(answer.message)


class UnreadMeter(Meter):
    """Passes on what cannot be read, such as audio or Brotli, and counts its bytes."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__()
        self._estimate = estimate
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        return data

    def reading(self) -> Reading:
        return Reading(usage=self._estimate.usage(tokens_in(self._size)))
