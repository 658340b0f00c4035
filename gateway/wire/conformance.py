"""What HTTP asks of a request beyond its syntax: the parser let it through, the gateway may not.

Both edges come here with everything that is not hot. Whatever is refused closes the connection,
as nobody knows where the next request begins (RFC 9112 sections 6.3 and 9.6).
"""

import re

from aiohttp import web
from aiohttp.http import HttpVersion10, HttpVersion11

from gateway.calls.endpoint import parse_target
from gateway.calls.head import Headers
from gateway.envelope import Envelope
from gateway.errors import (
    BadRequest,
    ExpectationFailed,
    GatewayError,
    HeadTooLarge,
    MethodNotAllowed,
    NotImplementedHere,
)
from gateway.wire.host import is_host
from gateway.wire.limits import MAX_FIELDS, MAX_HEAD

_ABSOLUTE = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE)
_SAID = {"Server": "hearth", "Connection": "close"}
"""Left to itself, aiohttp says its own name, and not always that it closes."""

_MAX_DIGITS = 9
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def judge(request: web.BaseRequest) -> web.StreamResponse | None:
    """The answer to a request that must go no further, None for every other."""
    try:
        _check_head(request)
        _check_method(request)
        _check_framing(request)
        _check_expectation(request)
    except GatewayError as error:
        return refused(error, _envelope(request.raw_path))
    return web.Response(status=204, headers={"Allow": _METHODS}) if _ends_here(request) else None


def refused(error: GatewayError, envelope: Envelope) -> web.Response:
    """`error`, and no request after it."""
    response = web.Response(
        body=error.body(envelope),
        status=error.status,
        headers={**_SAID, **error.headers},
        content_type="application/json",
    )
    response.force_close()
    return response


def head_too_large() -> HeadTooLarge:
    """What is wrong with a head over the limits."""
    return HeadTooLarge(
        f"The request's head is over {MAX_HEAD} bytes, or has over {MAX_FIELDS} fields"
    )


def origin_form(target: str) -> str:
    """A target without scheme and authority, which say nothing new (RFC 9112 section 3.2.2)."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target
    path: str = absolute[2]
    return path if path.startswith("/") else f"/{path}"


def forwarded(method: str, headers: Headers) -> Headers:
    """The fields as the next server is to see them: Max-Forwards counts down on OPTIONS."""
    if method != "OPTIONS":
        return headers
    return [
        (name, _counted_down(value))
        if name.lower() == b"max-forwards" and value.isdigit()
        else (name, value)
        for name, value in headers
    ]


def _counted_down(hops: bytes) -> bytes:
    """One less; RFC 9110 section 7.6.2 lets a gateway have a largest number that it sends on."""
    return b"%d" % (int(hops) - 1 if len(hops) <= _MAX_DIGITS else 10**_MAX_DIGITS - 1)


def _check_head(request: web.BaseRequest) -> None:
    size = len(request.raw_path) + sum(len(n) + len(v) + 4 for n, v in request.raw_headers)
    if size > MAX_HEAD or len(request.raw_headers) > MAX_FIELDS:
        raise head_too_large()
    if request.version not in (HttpVersion10, HttpVersion11):
        raise BadRequest("Send HTTP/1.1")
    absolute = _ABSOLUTE.fullmatch(request.raw_path)
    authority = absolute[1].encode() if absolute else b""
    if not all(map(is_host, (authority, *_values(request, b"host")))):
        raise BadRequest("The host is not `name` or `name:port`")


def _check_method(request: web.BaseRequest) -> None:
    method, target = request.method, request.raw_path
    if method == "CONNECT":
        raise NotImplementedHere("CONNECT is not supported: Hearth makes no tunnels")
    if method == "TRACE":
        raise MethodNotAllowed("TRACE would show a request's credentials", allow=_METHODS)
    if method == "GET" and b"websocket" in (v.lower() for v in _values(request, b"upgrade")):
        raise NotImplementedHere("WebSockets are not supported; streams come over HTTP")
    is_whole_server = target == "*" and method == "OPTIONS"
    if not (target.startswith("/") or is_whole_server or _ABSOLUTE.fullmatch(target)):
        raise BadRequest("The request's target is neither a path nor an http address")


def _check_framing(request: web.BaseRequest) -> None:
    fields = _values(request, b"transfer-encoding")
    if not fields:
        return
    codings = b",".join(fields).strip().lower()
    if not codings:
        raise BadRequest("The Transfer-Encoding names no coding")
    if request.version < HttpVersion11:
        raise BadRequest("HTTP/1.0 has no Transfer-Encoding: RFC 9112 section 6.1")
    if codings != b"chunked":
        raise NotImplementedHere("The only Transfer-Encoding supported is `chunked`")


def _check_expectation(request: web.BaseRequest) -> None:
    expected = {value.strip().lower() for value in _values(request, b"expect")} - {b""}
    if expected - {b"100-continue"} and request.version >= HttpVersion11:
        raise ExpectationFailed("The only expectation supported is `100-continue`")


def _ends_here(request: web.BaseRequest) -> bool:
    """Whether it is an OPTIONS about this very server (RFC 9110 sections 7.6.2 and 9.3.7)."""
    if request.method != "OPTIONS":
        return False
    hops = _values(request, b"max-forwards")
    return request.raw_path == "*" or any(each and not each.strip(b"0") for each in hops)


def _values(request: web.BaseRequest, name: bytes) -> list[bytes]:
    return [value for field, value in request.raw_headers if field.lower() == name]


def _envelope(target: str) -> Envelope:
    try:
        parsed = parse_target(origin_form(target))
    except BadRequest:
        parsed = None
    return Envelope.OPENAI if parsed is None else parsed.envelope
