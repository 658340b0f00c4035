"""The request as an edge read it: the one thing both edges hand to the proxy."""

from collections.abc import Callable

import msgspec

from gateway.generation import Generation

Headers = list[tuple[bytes, bytes]]
"""Field lines in the order they came: (name, value), names in the sender's spelling."""

HEADS = 256
"""Of so many heads it is remembered what follows from them; an app's calls have few that differ."""


class Head:
    """A request's line and fields. `fields`: lower-cased name -> value of its first line; `version`
    is that of the client's HTTP.

    `target` is the request target as it came (origin-form, RFC 9112 section 3.2.1). Requests whose
    heads are the same bytes may share one, and it compares by identity: so whatever follows from a
    head alone may be remembered for it.
    """

    __slots__ = ("fields", "headers", "method", "target", "version")

    def __init__(self, method: str, target: str, headers: Headers, version: str = "1.1") -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.version = version
        self.fields: dict[bytes, bytes] = {}
        for name, value in headers:
            self.fields.setdefault(name.lower(), value)

    def field(self, name: bytes) -> str | None:
        """The value of a field by its lower-case name, trimmed; None when absent or empty."""
        value = self.fields.get(name)
        return decode_field(value).strip() or None if value else None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, its body complete.

    `received_at` is microseconds since the epoch, `started` seconds on the monotonic clock, both
    when its head was complete. `on_settled` is told of its record, once, whatever ends it.
    """

    head: Head
    body: bytes
    peer: str
    received_at: int
    started: float
    on_settled: Callable[[Generation], None] | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a field of its head, as `Head.field` gives it."""
        return self.head.field(name)


def decode_field(value: bytes) -> str:
    """A field's value as text: UTF-8, which HTTP never promised but many send, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
