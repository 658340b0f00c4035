"""A hot request on its way in: its head is here, its body piles up."""

from time import monotonic, time_ns

from gateway.calls.endpoint import Target
from gateway.calls.head import Head
from gateway.calls.request import Request
from gateway.wire.request_head import RequestHead


def request_now(head: Head, body: bytes, peer: str) -> Request:
    """The request whose head is complete now, with what is here of its body."""
    received_at, started = time_ns() // 1000, monotonic()
    return Request(head=head, body=body, peer=peer, received_at=received_at, started=started)


class Incoming:
    """A hot request whose body is still coming; `begun` has what came together with its head."""

    def __init__(self, head: RequestHead, target: Target, begun: Request) -> None:
        self.target = target
        self.keep_alive = head.keep_alive
        self.missing = head.length - len(begun.body)
        self._length = head.length
        self._begun = begun
        self._pieces = [begun.body]

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self.missing -= len(data)

    def take(self) -> tuple[Request, bytes]:
        """The whole request, and what came after it."""
        whole = b"".join(self._pieces)
        if self.missing == 0:
            return self._begun.with_body(whole), b""
        return self._begun.with_body(whole[: self._length]), whole[self._length :]

    def without_body(self) -> Request:
        """The request of which no more is wanted."""
        return self._begun.with_body(b"")
