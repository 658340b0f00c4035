"""Header fields on their way through: what a gateway must drop, and what it puts in place.

RFC 9110 section 7.6.1: fields named in `Connection` and the hop-by-hop fields end here, both ways.
Everything else keeps its name, value and order.
"""

from collections.abc import Mapping
from typing import Final

from gateway.calls.credentials import PROVIDER_FIELDS, credential
from gateway.calls.head import REMEMBERED_HEADS, Head, Headers
from gateway.calls.parsed_fields import ParsedFields
from gateway.config import Provider
from gateway.wire.upstream import Upstream
from gateway.wire.via import Via

_HOP_BY_HOP: Final = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer"),
        *(b"transfer-encoding", b"upgrade", b"proxy-authorization", b"proxy-authenticate"),
    )
)
_METHOD_OVERRIDES = {b"x-http-method", b"x-http-method-override", b"x-method-override"}
"""By which some servers take a GET, of which less is asked here, for a POST."""

_REQUEST_DROPPED = _HOP_BY_HOP | _METHOD_OVERRIDES | {b"host", b"content-length", b"expect"}
_OWN = {b"x-generation-id", b"x-hearth-provider", b"x-hearth-route"}
_RESPONSE_DROPPED: Final = _HOP_BY_HOP | _OWN | {b"content-length"}
_LENGTHS: Final = sum(1 << length for length in set(map(len, _RESPONSE_DROPPED)))
"""A bit for each length of those, which tells most other fields from them."""

_WITH_BODY: Final = frozenset(("POST", "PUT", "PATCH"))
_GATEWAY_PREFIXES = (b"x-usagepanda-", b"helicone-", b"x-hearth-")


class UpstreamHead:
    """Builds the request heads for one provider; what never changes is built once."""

    def __init__(self, settings: Provider, upstream: Upstream, via: Via) -> None:
        self._via = via
        self._base_path = upstream.base_path
        self._fixed = b"Host: %b\r\n" % upstream.authority + _lines(settings.headers)
        self._api_key = settings.api_key
        self._dropped = _REQUEST_DROPPED | {name.lower().encode() for name in settings.headers}
        if self._api_key is not None:
            self._dropped |= {*PROVIDER_FIELDS, b"cookie"}
        self._starts: dict[tuple[ParsedFields, str, bytes | None], bytes] = {}

    def build(self, head: Head, path: str, length: int, accept: bytes | None) -> bytes:
        """`head` as it goes to the provider, up to its empty line.

        `path` is the endpoint with its query, below the provider's base path; `length` that of
        the body to send; `accept` replaces the client's Accept-Encoding, None keeps it.
        """
        key = (head.parsed, path, accept)
        start = self._starts.get(key)
        if start is None:
            start = self._start(head, path, accept)
            if len(self._starts) >= REMEMBERED_HEADS:
                del self._starts[next(iter(self._starts))]
            self._starts[key] = start
        if length or head.method in _WITH_BODY:
            return b"%bContent-Length: %d\r\n\r\n" % (start, length)
        return start + b"\r\n"

    def _start(self, head: Head, path: str, accept: bytes | None) -> bytes:
        """All but the length."""
        dropped = self._dropped | _named_in_connection(head.headers)
        if accept is not None:
            dropped = dropped | {b"accept-encoding"}
        lines = [
            b"%b %b/%b HTTP/1.1\r\n" % (head.method.encode(), self._base_path, path.encode()),
            self._fixed,
            _lines(credential(self._api_key, path, head.fields)),
        ]
        for name, value in head.headers:
            lower = name.lower()
            if lower not in dropped and not lower.startswith(_GATEWAY_PREFIXES):
                lines.append(b"%b: %b\r\n" % (name, value))
        if accept is not None:
            lines.append(b"Accept-Encoding: %b\r\n" % accept)
        lines.append(self._via.line(head.version))
        return b"".join(lines)


def accept_encoding(head: Head, *, uncoded: bool) -> bytes:
    """The Accept-Encoding to send where the answer is metered.

    `uncoded`: a piece of the answer has to be left out, so it must come without coding.
    """
    return b"identity" if uncoded else head.parsed.codings


def client_headers(headers: Headers, own: Headers) -> Headers:
    """A provider's header fields as they go to the client, followed by `own`."""
    kept: Headers = []
    has_options = False
    for field in headers:
        name = field[0]
        if not _LENGTHS >> len(name) & 1 or (lower := name.lower()) not in _RESPONSE_DROPPED:
            kept.append(field)
        elif lower == b"connection":
            has_options = True
    if has_options and (named := _named_in_connection(headers) - _RESPONSE_DROPPED):
        kept = [field for field in kept if field[0].lower() not in named]
    kept += own
    return kept


def _named_in_connection(headers: Headers) -> frozenset[bytes]:
    """Lower-case names of the fields that `Connection` makes hop-by-hop."""
    lines = [value for name, value in headers if len(name) == 10 and name.lower() == b"connection"]
    return frozenset(option.strip().lower() for line in lines for option in line.split(b","))


def _lines(fields: Mapping[str, str]) -> bytes:
    return b"".join([f"{name}: {value}\r\n".encode() for name, value in fields.items()])
