"""A hot request on its way in: its head is here, its body piles up."""

import time

from gateway.endpoint import Target
from gateway.request import Request
from gateway.wire.request_head import RequestHead


class Incoming:
    """A hot request whose body is still coming."""

    def __init__(self, head: RequestHead, target: Target) -> None:
        self.head = head
        self.target = target
        self.missing = head.length
        self._pieces: list[bytes] = []
        self._received_at = time.time_ns() // 1000
        self._started = time.monotonic()

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self.missing -= len(data)

    def take(self, peer: str) -> tuple[Request, bytes]:
        """The whole request, and what came after it."""
        whole = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        length = self.head.length
        body, rest = (whole, b"") if len(whole) == length else (whole[:length], whole[length:])
        return self.request(peer, body), rest

    def request(self, peer: str, body: bytes) -> Request:
        """The request with `body`."""
        return Request(
            head=self.head.head,
            body=body,
            peer=peer,
            received_at=self._received_at,
            started=self._started,
        )
