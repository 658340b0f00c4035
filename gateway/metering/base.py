"""What a meter does, whichever answer it reads."""

from abc import ABC, abstractmethod

from gateway.metering.reading import Reading


class Meter(ABC):
    """Reads along while one answer passes; no method raises for anything an upstream sends.

    `settled`: the API's own terminal event was seen, and nothing after it counts. That is
    `data: [DONE]`, `message_stop`, `response.completed`, `.failed` or `.incomplete`.
    """

    def __init__(self) -> None:
        self.settled = False

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Take a piece of the answer; returns what goes on to the client now."""

    def finish(self) -> bytes:
        """The answer is complete; returns what was still held back."""
        return b""

    def break_off(self, message: str) -> bytes:
        """The provider died in mid-answer; returns what tells the client so, in its API's form.

        Empty where nothing can be said any more: in a JSON body, in compressed data, after the
        terminal event, and where the provider sent an error event itself.
        """
        return b""

    @abstractmethod
    def reading(self) -> Reading:
        """What is known now. Usage is estimated where the provider did not come to count."""
