"""The request as an edge read it: the one thing both edges hand to the proxy."""

from functools import cached_property

import msgspec

Headers = list[tuple[bytes, bytes]]
"""Field lines in the order they came: (name, value), names in the sender's spelling."""


class Request(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """One HTTP request, its body complete.

    `target` is the request target as it came (origin-form, RFC 9112 section 3.2.1);
    `received_at` is microseconds since the epoch, `started` seconds on the monotonic clock, both
    when its head was complete.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    peer: str
    received_at: int
    started: float

    @cached_property
    def fields(self) -> dict[bytes, bytes]:
        """Lower-cased field name -> value of its first line."""
        fields: dict[bytes, bytes] = {}
        for name, value in self.headers:
            fields.setdefault(name.lower(), value)
        return fields

    def header(self, name: bytes) -> str | None:
        """The value of a field by its lower-case name, trimmed; None when absent or empty."""
        value = self.fields.get(name)
        return decode_field(value).strip() or None if value else None


def decode_field(value: bytes) -> str:
    """A field's value as text: UTF-8, which HTTP never promised but many send, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
