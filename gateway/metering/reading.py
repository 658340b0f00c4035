"""What metering finds out about one answer, and the interface that finds it out."""

from typing import Protocol

import msgspec

from gateway.generation import Flag, Usage


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an answer.

    `cost`: nano-dollars the upstream itself reports. `error`: the upstream's message, out of an
    error body or of an error event in mid-stream. `flags`: what in it counts against its user.
    """

    usage: Usage = Usage()
    upstream_id: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    cost: int | None = None
    error: str | None = None
    flags: tuple[Flag, ...] = ()


class Meter(Protocol):
    """Reads along while one answer passes; no method raises for anything an upstream sends."""

    @property
    def settled(self) -> bool:
        """True once the API's own terminal event was seen; nothing after it counts.

        That is `data: [DONE]`, `message_stop`, `response.completed`, `.failed` or `.incomplete`.
        """

    def feed(self, data: bytes) -> bytes:
        """Take a piece of the answer; returns what goes on to the client now."""

    def finish(self) -> bytes:
        """The answer is complete; returns what was still held back."""

    def break_off(self, message: str) -> bytes:
        """The provider died in mid-answer; returns what tells the client so, in its API's form.

        Empty where nothing can be said any more: in a JSON body, in compressed data, after the
        terminal event, and where the provider sent an error event itself.
        """

    def reading(self) -> Reading:
        """What is known now. Usage is estimated where the provider did not come to count."""
