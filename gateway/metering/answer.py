"""Usage out of an answer that comes in one piece: a JSON body, read once, when it is complete."""

from gateway.generation import Usage
from gateway.metering.base import Meter
from gateway.metering.encoding import MAX_READ, Inflater, Unreadable
from gateway.metering.ending import declines, finish_reason, first_choice
from gateway.metering.estimate import Estimate, tokens_in
from gateway.metering.fault import error_message
from gateway.metering.json_object import text_or_none
from gateway.metering.moderation import flagged_categories, flags_within, moderation_flags
from gateway.metering.reading import Reading
from gateway.metering.refusal import REFUSALS, REFUSED, Flags, flags_of_error
from gateway.metering.shapes import UNDECODABLE, Answer, AnswerChoice, decode_answer
from gateway.metering.usage import read_cost, read_usage

_PENDING = ("queued", "in_progress")
"""Of a response in the background: nothing is said yet (openai `types/responses/response.py`)."""


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
        counted = read_usage(usage, answer.tool_usage, answer.service_tier)
        return Reading(
            usage=counted or self._uncounted(answer, error),
            upstream_id=text_or_none(answer.id),
            finish_reason=(reason := finish_reason(answer, choice)),
            cost=read_cost(usage),
            error=self._message(answer, error),
            flags=self._flags(answer, choice, reason, error),
        )

    def _uncounted(self, answer: Answer, error: object) -> Usage:
        """The estimate; nothing for an error in the place of an answer."""
        if error:
            return Usage()
        said = 0 if answer.status in _PENDING else self._size
        return self._estimate.usage(tokens_in(said))

    def _flags(
        self, answer: Answer, choice: AnswerChoice | None, reason: str | None, error: object
    ) -> Flags:
        flags = REFUSALS.get(REFUSED if declines(answer, choice) else reason or "", ())
        flags = flags or flags_of_error(error)
        return flags + flags_within(bytes(answer.moderation))

    def _message(self, answer: Answer, error: object) -> str | None:
        """The error's text; `detail` and `message` hold it only where the status says so."""
        message = error_message(error)
        if self._status < 400:
            return message
        return message or error_message(answer.detail) or error_message(answer.message)


class ModerationMeter(AnswerMeter):
    """Flags the record of a call to `moderations` whose answer flags its input."""

    def _flags(
        self, answer: Answer, choice: AnswerChoice | None, reason: str | None, error: object
    ) -> Flags:
        try:
            categories = flagged_categories(bytes(answer.results))
        except UNDECODABLE:
            return super()._flags(answer, choice, reason, error)
        return moderation_flags("input", categories)


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
