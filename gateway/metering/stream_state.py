"""What the events of one stream add up to, and the events that every API shares."""

from abc import ABC, abstractmethod
from typing import Final

from gateway.generation import Usage
from gateway.metering.fault import error_message
from gateway.metering.json_object import text_or_none
from gateway.metering.refusal import Flags, flags_of_error
from gateway.metering.shapes import UNDECODABLE, decode_other
from gateway.metering.usage import read_cost, read_usage

DONE: Final = b"[DONE]"


class StreamState(ABC):
    """The sum so far; each API's own state says what an event adds to it.

    `usage` is the last that was reported; it is `counted` when it covers the whole answer.
    `tokens` are those of the text seen, by estimate; `said` is the text of an event that added
    nothing else, for whoever takes it. `flags` are those of its text and of its errors, `moderated`
    those of a moderation that was asked for with it. `model` and `created`, Unix time, are a
    chat's, `sequence_number` is the last event's in the Responses API; these are for an error event
    that has to fit in.
    """

    def __init__(self) -> None:
        self.upstream_id: str | None = None
        self.model: str | None = None
        self.created: int | None = None
        self.sequence_number = -1
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.counted = False
        self.cost: int | None = None
        self.error: str | None = None
        self.flags: Flags = ()
        self.moderated: Flags = ()
        self.tokens = 0
        self.said = ""
        self.settled = False

    @abstractmethod
    def add(self, data: bytes) -> bool:
        """Add one event by its data; True when it says nothing but usage."""

    def introduce(self, upstream_id: object) -> None:
        """Take the answer's id, unless an earlier event told it."""
        self.upstream_id = self.upstream_id or text_or_none(upstream_id)

    def report(self, usage: object, tool_usage: object = None, service_tier: object = None) -> None:
        """Take a `usage` value that an event carries, and what stands beside it."""
        self.usage = read_usage(usage, tool_usage, service_tier) or self.usage
        cost = read_cost(usage)
        self.cost = self.cost if cost is None else cost

    def fail(self, error: object) -> None:
        """Take an event's error value; the first one tells the cause."""
        self.error = self.error or error_message(error)
        self.flags = self.flags or flags_of_error(error)


class OtherState(StreamState):
    """Images, audio and unknown APIs: whatever event carries usage counts for the whole answer."""

    def add(self, data: bytes) -> bool:
        if data.startswith(DONE):
            self.settled = True
            return False
        try:
            event = decode_other(data)
        except UNDECODABLE:
            return False
        self.introduce(event.id)
        self.report(event.usage)
        self.counted = self.usage is not None
        self.fail(event.error)
        return False
