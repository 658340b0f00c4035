"""Usage out of server-sent events, read while they pass."""

from typing import Final

from gateway.calls.endpoint import Dialect
from gateway.generation import Usage
from gateway.metering.base import Meter
from gateway.metering.broken import broken_stream_event
from gateway.metering.chat import ChatState
from gateway.metering.encoding import Inflater, Unreadable
from gateway.metering.estimate import Estimate, running_usage, tokens_in
from gateway.metering.events import EventBuffer, Piece
from gateway.metering.messages import MessagesState
from gateway.metering.pattern import TextPattern
from gateway.metering.reading import Reading
from gateway.metering.refusal import REFUSALS
from gateway.metering.responses import ResponsesState
from gateway.metering.stream_state import OtherState, StreamState

_STATES: dict[Dialect, type[StreamState]] = {
    "chat": ChatState,
    "completions": ChatState,
    "responses": ResponsesState,
    "messages": MessagesState,
}


_NO_USAGE: Final = b',"usage":null'
"""What OpenAI puts in every other chunk of a stream that was asked for its usage. Inside a JSON
string the quotes would be escaped."""


class StreamMeter(Meter):
    """Passes a stream on event by event, comments at once.

    A client can use no part of an event, and one that is cut off in the middle must not get in the
    way of the error event that tells of it.
    """

    def __init__(self, dialect: Dialect, estimate: Estimate) -> None:
        super().__init__()
        self._dialect = dialect
        self._estimate = estimate
        self._state = _STATES.get(dialect, OtherState)()
        self._events = EventBuffer()
        self._pattern = TextPattern()

    def feed(self, data: bytes) -> bytes:
        if self._events.is_between and self._says_text(data):
            return self._text_shown(data)
        return self._pass(self._events.feed(data))

    def finish(self) -> bytes:
        return self._pass(self._events.finish())

    def break_off(self, message: str) -> bytes:
        if self.settled or self._state.error:
            return b""
        # Only of an event that was too long to wait for has the client got a part.
        end_of_part = b"\n\n" if self._events.given_up else b""
        return end_of_part + broken_stream_event(self._dialect, message, self._state)

    def reading(self) -> Reading:
        state = self._state
        return Reading(
            usage=self._usage(),
            upstream_id=state.upstream_id,
            finish_reason=state.finish_reason,
            cost=state.cost,
            error=state.error,
            flags=(state.flags or REFUSALS.get(state.finish_reason or "", ())) + state.moderated,
        )

    def _usage(self) -> Usage:
        state = self._state
        if state.usage is not None:
            return state.usage if state.counted else running_usage(state.usage, state.tokens)
        if state.error and not state.tokens:
            return Usage()  # an error in the place of an answer
        return self._estimate.usage(state.tokens)

    def _pass(self, pieces: list[Piece]) -> bytes:
        for raw, event in pieces:
            self._add(raw, event)
        return pieces[0][0] if len(pieces) == 1 else b"".join([raw for raw, _ in pieces])

    def _text_shown(self, event: bytes) -> bytes:
        """What the client gets of an event by the pattern."""
        return event

    def _learn(self, event: bytes, text: str) -> bool:
        return self._pattern.learn(event, text)

    def _add(self, raw: bytes, event: bytes) -> bool:
        """Add an event to the state; True when it is one that says nothing but usage."""
        if not event or self.settled or self._says_text(raw):
            return False
        state = self._state
        says_usage = state.add(event)
        self.settled = state.settled
        if state.said:
            self._learn(raw, state.said)
            state.said = ""
        return says_usage

    def _says_text(self, raw: bytes) -> bool:
        """Whether it is an event known to say something and no more; then it is counted."""
        characters = -1 if self.settled else self._pattern.characters(raw)
        if characters < 0:
            return False
        self._state.tokens += tokens_in(characters)
        return True


class NullUsageHidingMeter(StreamMeter):
    """Leaves out the null `usage` of all chunks but the last, which OpenRouter's have not and its
    TypeScript SDK refuses; the rest is as it came."""

    def __init__(self, dialect: Dialect, estimate: Estimate) -> None:
        super().__init__(dialect, estimate)
        self._says_no_usage = False  # as every event by the pattern does, where one does

    def _pass(self, pieces: list[Piece]) -> bytes:
        for raw, event in pieces:
            self._add(raw, event)
        return b"".join([raw.replace(_NO_USAGE, b"") for raw, _ in pieces])

    def _learn(self, event: bytes, text: str) -> bool:
        is_learned = super()._learn(event, text)
        if is_learned:
            self._says_no_usage = event.find(_NO_USAGE) >= 0
        return is_learned

    def _text_shown(self, event: bytes) -> bytes:
        return event.replace(_NO_USAGE, b"") if self._says_no_usage else event


class UsageHidingMeter(NullUsageHidingMeter):
    """Keeps usage from a client that did not ask for it, the chunk that tells it as well."""

    def __init__(self, dialect: Dialect, estimate: Estimate) -> None:
        super().__init__(dialect, estimate)
        self._hidden_carriage_return = False

    def feed(self, data: bytes) -> bytes:
        if self._hidden_carriage_return and data:
            # The line end of the hidden event was split in two.
            data = data.removeprefix(b"\n")
            self._hidden_carriage_return = False
        return super().feed(data)

    def _pass(self, pieces: list[Piece]) -> bytes:
        shown, hidden, raw = [], False, b""
        for raw, event in pieces:
            hidden = self._add(raw, event)
            if not hidden:
                shown.append(raw.replace(_NO_USAGE, b""))
        self._hidden_carriage_return = hidden and not self._events.rest and raw.endswith(b"\r")
        return b"".join(shown)


class EncodedStreamMeter(StreamMeter):
    """Passes a compressed stream on as it comes and reads what is in it."""

    def __init__(self, dialect: Dialect, estimate: Estimate, inflater: Inflater) -> None:
        super().__init__(dialect, estimate)
        self._inflater: Inflater | None = inflater

    def feed(self, data: bytes) -> bytes:
        if self._inflater:
            try:
                super().feed(self._inflater.feed(data))
            except Unreadable:
                self._inflater = None
        return data

    def finish(self) -> bytes:
        super().finish()
        return b""

    def break_off(self, message: str) -> bytes:
        return b""
