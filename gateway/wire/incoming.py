"""A hot request on its way in: its head is here, its body piles up."""

from time import monotonic, time_ns

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
        self._received_at = time_ns() // 1000
        self._started = monotonic()

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self.missing -= len(data)

    def take(self, peer: str) -> tuple[Request, bytes]:
        """The whole request, and what came after it."""
        pieces, length = self._pieces, self.head.length
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self.missing == 0:
            return self.request(peer, whole), b""
        return self.request(peer, whole[:length]), whole[length:]

    def request(self, peer: str, body: bytes) -> Request:
        """The request with `body`."""
        return Request(
            head=self.head.head,
            body=body,
            peer=peer,
            received_at=self._received_at,
            started=self._started,
        )
