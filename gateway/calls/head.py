"""The head of a request: its line, its fields, and what is known of both."""

from gateway.calls.parsed_fields import ParsedFields

Headers = list[tuple[bytes, bytes]]
"""Field lines in the order they came: (name, value), names in the sender's spelling."""

REMEMBERED_HEADS = 256
"""For so many heads, what follows from them is kept; an app's calls have few different ones."""


class Head:
    """A request's line and fields. `fields`: lower-cased name -> value of its first line; `version`
    is that of the client's HTTP.

    `target` is the request target as it came (origin-form, RFC 9112 section 3.2.1). `user` is the
    value of Helicone-User-Id, which `fields` may lack: requests that differ only in their length
    and their user share all the rest. What else follows from a head may therefore be cached by its
    `parsed`, of which those requests have the very same.
    """

    def __init__(self, method: str, target: str, headers: Headers, version: str = "1.1") -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.version = version
        fields: dict[bytes, bytes] = {}
        for name, value in headers:
            fields.setdefault(name.lower(), value)
        self.fields = fields
        self.user = fields.get(b"helicone-user-id")
        self.parsed = ParsedFields(fields)


class UserHead(Head):
    """A head that differs from `shared` in its user alone."""

    def __init__(self, shared: Head, user: bytes) -> None:
        self.method = shared.method
        self.target = shared.target
        self.headers = shared.headers
        self.version = shared.version
        self.fields = shared.fields
        self.user = user
        self.parsed = shared.parsed
