"""Requests as an edge hands them over."""

from gateway.calls.head import Head
from gateway.calls.request import Request


def request(
    *fields: tuple[bytes, bytes],
    method: str = "POST",
    target: str = "/v1/chat/completions",
    body: bytes = b"",
) -> Request:
    """One that came from this machine, at the beginning of time."""
    head = Head(method, target, list(fields))
    return Request(head=head, body=body, peer="127.0.0.1", received_at=0, started=0.0)
