"""Usage out of an answer that comes in one piece: a JSON body, read once, when it is complete."""

from typing import Any

import msgspec

from gateway.metering.encoding import MAX_READ, Inflater, Unreadable
from gateway.metering.estimate import Estimate, tokens_in
from gateway.metering.fault import error_message
from gateway.metering.reading import Reading
from gateway.metering.refusal import (
    REFUSALS,
    REFUSED,
    Flags,
    Message,
    flags_of_error,
    says_refusal,
)
from gateway.metering.usage import read_cost, read_usage

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding an upstream's bytes may raise; the last for JSON nested without end."""

_ENDED = frozenset({"completed", "incomplete", "failed", "cancelled"})


class AnswerChoice(msgspec.Struct):
    finish_reason: Any = None
    message: Message | None = None
    error: Any = None


class Answer(msgspec.Struct):
    """The fields of any API's answer that are metered; leaves may have any JSON type."""

    id: Any = None
    model: Any = None
    choices: list[AnswerChoice] | None = None
    stop_reason: Any = None
    status: Any = None
    incomplete_details: Any = None
    usage: Any = None
    error: Any = None
    detail: Any = None
    message: Any = None
    output: msgspec.Raw = msgspec.Raw()
    results: msgspec.Raw = msgspec.Raw()

    @property
    def declines(self) -> bool:
        """Whether the text itself says so: the first choice's, or a response's."""
        if self.choices:
            said = self.choices[0].message
            return said is not None and bool(said.refusal)
        return says_refusal(bytes(self.output))

    @property
    def finish_reason(self) -> str | None:
        """`choices[0].finish_reason`, `stop_reason`, or why a response is incomplete, else its
        status once it has ended."""
        if self.choices:
            return text_or_none(self.choices[0].finish_reason)
        if self.stop_reason:
            return text_or_none(self.stop_reason)
        if not isinstance(self.status, str) or self.status not in _ENDED:
            return None
        details = self.incomplete_details
        reason = details.get("reason") if isinstance(details, dict) else None
        return text_or_none(reason) or self.status

    @property
    def fault(self) -> str | None:
        """The error a successful status hides: OpenRouter's, in the body or in its choice."""
        in_choice = self.choices[0].error if self.choices else None
        return error_message(self.error) or error_message(in_choice)

    @property
    def refusal(self) -> str | None:
        """The error an error status announces, in any envelope."""
        return self.fault or error_message(self.detail) or error_message(self.message)


_decode_answer = msgspec.json.Decoder(Answer).decode


def text_or_none(value: object) -> str | None:
    """A decoded value that ought to be a string; None when it is none, or empty."""
    return value or None if isinstance(value, str) else None


class AnswerMeter:
    """Passes a JSON answer on unchanged and reads a copy of it, up to MAX_READ bytes."""

    settled = False

    def __init__(self, status: int, inflater: Inflater | None, estimate: Estimate) -> None:
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
            self._reading = self._read(b"".join(self._pieces))
        self._pieces.clear()
        return b""

    def break_off(self, message: str) -> bytes:
        return b""

    def reading(self) -> Reading:
        return self._reading or Reading(usage=self._estimate(tokens_in(self._size)))

    def _read(self, body: bytes) -> Reading | None:
        try:
            answer = _decode_answer(self._inflater.feed(body) if self._inflater else body)
        except (Unreadable, *UNDECODABLE):
            return None
        return Reading(
            usage=read_usage(answer.usage) or self._estimate(tokens_in(self._size)),
            upstream_id=text_or_none(answer.id),
            model=text_or_none(answer.model),
            finish_reason=answer.finish_reason,
            cost=read_cost(answer.usage),
            error=answer.refusal if self._status >= 400 else answer.fault,
            flags=self._flags(answer),
        )

    def _flags(self, answer: Answer) -> Flags:
        if self._status >= 400:
            return flags_of_error(answer.error)
        return REFUSALS.get(REFUSED if answer.declines else answer.finish_reason or "", ())


class UnreadMeter:
    """Passes on what cannot be read, such as audio or Brotli, and counts its bytes."""

    settled = False

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        return data

    def finish(self) -> bytes:
        return b""

    def break_off(self, message: str) -> bytes:
        return b""

    def reading(self) -> Reading:
        return Reading(usage=self._estimate(tokens_in(self._size)))
