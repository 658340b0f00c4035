"""RFC 9110 and 9112 on the client's side: what is refused, and what of a request goes on."""

from pathlib import Path

import msgspec
import pytest

from tests.parts.gateways import Wire
from tests.parts.http_world import (
    BODY,
    CHAT_LINE,
    CHUNKED,
    CHUNKED_BODY,
    HOST,
    LENGTH,
    fields_of,
    world,
)
from tests.parts.raw_client import post

FRAMED = {
    "a Content-Length that differs": LENGTH + b"Content-Length: 5\r\n",
    "a Content-Length repeated": LENGTH * 2,
    "a list of lengths": b"Content-Length: 23, 23\r\n",
    "a signed length": b"Content-Length: +23\r\n",
    "a negative length": b"Content-Length: -1\r\n",
    "a hexadecimal length": b"Content-Length: 0x17\r\n",
    "an empty length": b"Content-Length:\r\n",
    "a length with a blank in it": b"Content-Length: 2 3\r\n",
    "a length beyond 64 bits": b"Content-Length: 99999999999999999999\r\n",
    "a length in other digits": "Content-Length: ²³\r\n".encode(),
}
SMUGGLED = {
    "CL.TE": LENGTH + CHUNKED,
    "TE.CL": CHUNKED + LENGTH,
    "TE not ending in chunked": b"Transfer-Encoding: chunked, identity\r\n",
    "TE identity": b"Transfer-Encoding: identity\r\n",
    "TE without a coding": b"Transfer-Encoding:\r\n",
    "TE of blanks and a length": b"Transfer-Encoding: \t\r\n" + LENGTH,
    "TE unknown with an upgrade": b"Connection: upgrade\r\nUpgrade: a\r\nTransfer-Encoding: b\r\n",
    "TE identity with a length": b"Transfer-Encoding: identity\r\n" + LENGTH,
    "TE.TE with an unknown coding": CHUNKED + b"Transfer-Encoding: cow\r\n",
    "TE.TE twice chunked": CHUNKED * 2,
    "TE xchunked": b"Transfer-Encoding: xchunked\r\n",
    "TE in quotes": b'Transfer-Encoding: "chunked"\r\n',
    "TE with a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "TE with a NUL": b"Transfer-Encoding: chunked\x00\r\n",
    "TE with a blank before the colon": b"Transfer-Encoding : chunked\r\n" + LENGTH,
    "TE behind a tab": b"\tTransfer-Encoding: chunked\r\n" + LENGTH,
    "TE behind a bare LF": b"X: y\nTransfer-Encoding: chunked\r\n" + LENGTH,
    "TE behind a bare CR": b"X: y\rTransfer-Encoding: chunked\r\n" + LENGTH,
    "TE folded": b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH,
    "TE with an underscore in its name and no length": b"Transfer_Encoding: chunked\r\n\x00",
}
MALFORMED = {
    "a blank before the colon": b"X-Field : y\r\n" + LENGTH,
    "a folded line": b"X-Field: a\r\n b\r\n" + LENGTH,
    "a bare CR in a value": b"X-Field: a\rb\r\n" + LENGTH,
    "a bare LF in a value": b"X-Field: a\nb\r\n" + LENGTH,
    "a NUL in a value": b"X-Field: a\x00b\r\n" + LENGTH,
    "no colon": b"X-Field\r\n" + LENGTH,
    "no name": b": y\r\n" + LENGTH,
    "a name with a control character": b"X-Fi\x01eld: y\r\n" + LENGTH,
    "a name in brackets": b"[X]: y\r\n" + LENGTH,
}


async def is_refused(
    folder: Path, wire: Wire, request: bytes, *statuses: int, envelope: str = "error"
) -> bool:
    """Whether one answer comes, in an API's envelope, then the end; and nothing is sent on."""
    async with world(folder, wire) as here:
        answer = await here.client.ask(request)
        assert answer.status in statuses, answer
        assert answer.values(b"connection") == [b"close"]
        assert msgspec.json.decode(answer.body)[envelope]
        assert await here.client.is_closed()
        return here.provider.connections == 0


@pytest.mark.parametrize("fields", FRAMED.values(), ids=FRAMED)
async def test_5_length_that_is_none(tmp_path: Path, wire: Wire, fields: bytes) -> None:
    """A Content-Length that is invalid or there twice: 400 and the connection's end."""
    assert await is_refused(tmp_path, wire, CHAT_LINE + HOST + fields + b"\r\n" + BODY, 400)


@pytest.mark.parametrize("fields", SMUGGLED.values(), ids=SMUGGLED)
async def test_3_4_smuggling(tmp_path: Path, wire: Wire, fields: bytes) -> None:
    """Whatever two servers could frame differently is refused, with the request hidden in it."""
    hidden = b"0\r\n\r\n" + post(BODY, "/v1/embeddings")
    request = CHAT_LINE + HOST + fields + b"\r\n" + hidden
    assert await is_refused(tmp_path, wire, request, 400, 501)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip,chunked", b"deflate, chunked"])
async def test_4_unknown_transfer_coding(tmp_path: Path, wire: Wire, coding: bytes) -> None:
    """A coding that nobody here can undo is 501: its bytes are not the body."""
    fields = b"Transfer-Encoding: " + coding + b"\r\n\r\n"
    assert await is_refused(tmp_path, wire, CHAT_LINE + HOST + fields + CHUNKED_BODY, 501)


@pytest.mark.parametrize("spelling", [b"chunked", b"Chunked", b" chunked ", b"\tchunked"])
async def test_3_chunked_goes_on_with_a_length(tmp_path: Path, wire: Wire, spelling: bytes) -> None:
    """The one known coding ends here, in any spelling; what goes on has a Content-Length alone."""
    fields = b"Transfer-Encoding:" + spelling + b"\r\n\r\n"
    async with world(tmp_path, wire) as here:
        assert (await here.client.ask(CHAT_LINE + HOST + fields + CHUNKED_BODY)).status == 200
    ((head, body),) = here.seen
    assert body == BODY
    assert [name for name, _ in fields_of(head)].count(b"content-length") == 1
    assert b"transfer-encoding" not in dict(fields_of(head))


async def test_6_http_1_0_with_a_transfer_coding(tmp_path: Path, wire: Wire) -> None:
    """HTTP/1.0 has no Transfer-Encoding, so the framing is faulty."""
    line = CHAT_LINE.replace(b"1.1", b"1.0")
    request = line + HOST + CHUNKED + b"\r\n" + CHUNKED_BODY
    assert await is_refused(tmp_path, wire, request, 400)


@pytest.mark.parametrize(
    "hosts",
    [
        *(b"", HOST * 2, HOST + b"host: other\r\n", b"Host: a b\r\n", b"Host: user@a\r\n"),
        *(b"Host: a/b\r\n", b"Host: [::1\r\n", b"Host: a:b\r\n", b"Host: a, b\r\n"),
        *(b"Host: a\\b\r\n", b"Host: a?b\r\n", b"Host: %zz\r\n"),
    ],
)
async def test_7_host(tmp_path: Path, wire: Wire, hosts: bytes) -> None:
    """No Host, several, or one that cannot be a host: 400."""
    assert await is_refused(tmp_path, wire, CHAT_LINE + hosts + LENGTH + b"\r\n" + BODY, 400)


@pytest.mark.parametrize(
    "target", [b"http://other.example:81", b"HTTPS://other.example", b"http://[::1]:8080"]
)
async def test_8_absolute_form(tmp_path: Path, wire: Wire, target: bytes) -> None:
    """A whole address as the target is taken for its path; the provider gets its own Host."""
    line = b"POST " + target + b"/v1/chat/completions?a=%2F HTTP/1.1\r\n"
    async with world(tmp_path, wire) as here:
        assert (await here.client.ask(line + HOST + LENGTH + b"\r\n" + BODY)).status == 200
        here.client.send(b"GET " + target + b"/healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await here.client.answer()).body == b'{"status":"ok"}'
    ((head, _),) = here.seen
    assert head.startswith(b"POST /v1/chat/completions?a=%2F HTTP/1.1\r\n")
    assert dict(fields_of(head))[b"host"] == b"127.0.0.1:%d" % here.provider.port


@pytest.mark.parametrize(
    "target", [b"http://u:p@h/v1/x", b"http:///v1/x", b"ftp://h/v1/x", b"v1/x", b"h:80", b"*"]
)
async def test_8_targets_of_no_known_form(tmp_path: Path, wire: Wire, target: bytes) -> None:
    """A target that is neither a path nor an http address: 400."""
    line = b"POST " + target + b" HTTP/1.1\r\n"
    assert await is_refused(tmp_path, wire, line + HOST + LENGTH + b"\r\n" + BODY, 400)


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
async def test_9_10_11_malformed_fields(tmp_path: Path, wire: Wire, fields: bytes) -> None:
    """Blanks before a colon, folded lines, bare CR or LF, control characters: 400."""
    assert await is_refused(tmp_path, wire, CHAT_LINE + HOST + fields + b"\r\n" + BODY, 400)


@pytest.mark.parametrize(
    "line",
    [
        *(b"POST /v1/x HTTP/1.1\n", b"POST /v1/x\r\n"),
        *(b"POST /v1/x HTTP/2.0\r\n", b"POST /v1/x HTTP/0.9\r\n", b"POST /v1/x HTTP/1.10\r\n"),
        *(b"POST /v1/x http/1.1\r\n", b"P\x00ST /v1/x HTTP/1.1\r\n", b"POST /v1/\x00 HTTP/1.1\r\n"),
        *(b"POST /v1/a b HTTP/1.1\r\n", b"NOSUCH /v1/x HTTP/1.1\r\n", b" POST /v1/x HTTP/1.1\r\n"),
    ],
)
async def test_11_malformed_line(tmp_path: Path, wire: Wire, line: bytes) -> None:
    """A request line that is none: 400."""
    assert await is_refused(tmp_path, wire, line + HOST + LENGTH + b"\r\n" + BODY, 400)


@pytest.mark.parametrize(
    "body",
    [
        *(b"x\r\n" + BODY, b"-1\r\n" + BODY, b"0x17\r\n" + BODY, b"fffffffffffffffff\r\n" + BODY),
        *(b"17\n" + BODY + b"\n0\n\n", b"17\r\n" + BODY + b"x0\r\n\r\n", b"17 \r\n" + BODY),
        *(b"17;a\nb\r\n" + BODY, b"17\r" + BODY, b"\r\n", b"17;a=\x00\r\n" + BODY),
    ],
)
async def test_11_bad_chunks(tmp_path: Path, wire: Wire, body: bytes) -> None:
    """A chunk that is none, or whose size no number can hold: 400, and nothing goes on."""
    request = CHAT_LINE + HOST + CHUNKED + b"\r\n" + body + b"\r\n0\r\n\r\n"
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(request)
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert await here.client.is_closed()
        assert here.provider.connections == 0


async def test_11_chunk_extensions_are_ignored(tmp_path: Path, wire: Wire) -> None:
    """An extension of a chunk says nothing to anyone here and goes no further."""
    body = b'17;a=b;c="d"\r\n' + BODY + b"\r\n0;e\r\n\r\n"
    async with world(tmp_path, wire) as here:
        assert (await here.client.ask(CHAT_LINE + HOST + CHUNKED + b"\r\n" + body)).status == 200
    assert here.seen[0][1] == BODY


@pytest.mark.parametrize(
    "trailers", [b"X-Late: 1", b"X-Late: 1\r\nAuthorization: Bearer evil", b"Host: evil"]
)
@pytest.mark.parametrize("size", [5, 10_000], ids=["in bits", "at once"])
async def test_12_trailers(tmp_path: Path, wire: Wire, trailers: bytes, size: int) -> None:
    """Fields after a body are dropped: no part of its own head, nor of the next request's.

    The connection ends after it, and what was pipelined is left for the client to repeat.
    """
    body = CHUNKED_BODY.replace(b"0\r\n\r\n", b"0\r\n" + trailers + b"\r\n\r\n")
    request = CHAT_LINE + HOST + CHUNKED + b"Trailer: X-Late\r\n\r\n" + body
    *bits, last = (request[start : start + size] for start in range(0, len(request), size))
    async with world(tmp_path, wire) as here:
        await here.client.send_slowly(*bits, last + post(BODY))
        answer = await here.client.answer()
        assert (answer.status, answer.values(b"connection")) == (200, [b"close"])
        assert await here.client.is_closed()
    ((head, seen),) = here.seen
    assert seen == BODY
    assert {b"x-late", b"trailer", b"authorization"}.isdisjoint(dict(fields_of(head)))
    assert b"evil" not in head


@pytest.mark.parametrize("trailer", [b"X : y", b"X: \x00", b"X: y" * 9000])
async def test_12_bad_trailers(tmp_path: Path, wire: Wire, trailer: bytes) -> None:
    """A malformed or oversized field is no better for coming late."""
    body = CHUNKED_BODY.replace(b"0\r\n\r\n", b"0\r\n" + trailer + b"\r\n\r\n")
    request = CHAT_LINE + HOST + CHUNKED + b"\r\n" + body
    assert await is_refused(tmp_path, wire, request, 400, 431)


async def test_13_unknown_expectation(tmp_path: Path, wire: Wire) -> None:
    """417 to what nobody can promise."""
    request = CHAT_LINE + HOST + b"Expect: 200-ok\r\n" + LENGTH + b"\r\n" + BODY
    assert await is_refused(tmp_path, wire, request, 417)


async def test_13_expectation_of_http_1_0(tmp_path: Path, wire: Wire) -> None:
    """A client that may not know 100 Continue is not sent one."""
    line = CHAT_LINE.replace(b"1.1", b"1.0")
    async with world(tmp_path, wire) as here:
        here.client.send(line + HOST + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n" + BODY)
        assert (await here.client.head())[0] == 200
    assert b"expect" not in dict(fields_of(here.seen[0][0]))


async def test_1_fields_that_end_here(tmp_path: Path, wire: Wire) -> None:
    """What `Connection` names, and whatever is for one connection alone, goes no further."""
    fields = [
        *("Connection: x-foo, keep-alive", "X-Foo: 1", "Keep-Alive: 5", "Proxy-Connection: x"),
        *("TE: trailers", "Upgrade: h2c", "Trailer: X", "Proxy-Authorization: Basic x"),
    ]
    async with world(tmp_path, wire) as here:
        assert (await here.client.ask(post(BODY, "/v1/chat/completions", *fields))).status == 200
    names = set(dict(fields_of(here.seen[0][0])))
    gone = {field.partition(":")[0].lower().encode() for field in fields}
    assert names.isdisjoint(gone)


async def test_16_17_order_and_target_survive(tmp_path: Path, wire: Wire) -> None:
    """Unknown fields keep their order and repetitions, an unknown path its every octet."""
    target = "/v1/files/a%2Fb;c//d?q=%20&r=+"
    async with world(tmp_path, wire) as here:
        here.client.send(post(BODY, target, "X-A: 1", "X-B: 2", "X-A: 3"))
        assert (await here.client.answer()).status == 200
    head = here.seen[0][0]
    assert head.startswith(f"POST {target} HTTP/1.1\r\n".encode())
    kept = [field for field in fields_of(head) if field[0].startswith(b"x-")]
    assert kept == [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_2_15_version_and_via(tmp_path: Path, wire: Wire, version: bytes) -> None:
    """A request goes on as HTTP/1.1, and `Via` says how it came, after those before."""
    line = CHAT_LINE.replace(b"1.1", version)
    async with world(tmp_path, wire) as here:
        here.client.send(line + HOST + b"Via: 1.1 a, 1.0 b\r\n" + LENGTH + b"\r\n" + BODY)
        status, headers = await here.client.head()
    assert status == 200
    assert b"transfer-encoding" not in {name.lower() for name, _ in headers}
    head = here.seen[0][0]
    assert head.split(b"\r\n")[0].endswith(b"HTTP/1.1")
    before, own = (value for name, value in fields_of(head) if name == b"via")
    assert before == b"1.1 a, 1.0 b"
    assert own.startswith(version + b" hearth-")


async def test_18_max_forwards(tmp_path: Path, wire: Wire) -> None:
    """An OPTIONS that may go no further is answered here; another one has one step less."""
    options = b"OPTIONS /v1/files HTTP/1.1\r\n" + HOST + b"Max-Forwards: %d\r\n\r\n"
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(options % 0)
        assert (answer.status, here.provider.connections) == (204, 0)
        assert b"POST" in answer.values(b"allow")[0]
        assert (await here.client.ask(options % 7)).status == 200
    assert dict(fields_of(here.seen[0][0]))[b"max-forwards"] == b"6"


async def test_18_asterisk(tmp_path: Path, wire: Wire) -> None:
    """OPTIONS of the server as a whole is about this server."""
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (answer.status, here.provider.connections) == (204, 0)


@pytest.mark.parametrize(("method", "status"), [(b"TRACE", 405), (b"CONNECT", 501)])
async def test_18_methods_that_end_here(
    tmp_path: Path, wire: Wire, method: bytes, status: int
) -> None:
    """A TRACE would show credentials, and a CONNECT asks for a tunnel: neither goes on."""
    target = b"/v1/files" if method == b"TRACE" else b"example.com:443"
    request = method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    assert await is_refused(tmp_path, wire, request, status)


@pytest.mark.parametrize("name", [b"websocket", b"WebSocket"])
async def test_18_websockets(tmp_path: Path, wire: Wire, name: bytes) -> None:
    """The opening handshake of RFC 6455 section 4.1 is told at once that nobody speaks it here."""
    handshake = b"Connection: Upgrade\r\nUpgrade: " + name + b"\r\nSec-WebSocket-Version: 13\r\n"
    request = b"GET /v1/realtime?model=m HTTP/1.1\r\n" + HOST + handshake + b"\r\n"
    assert await is_refused(tmp_path, wire, request, 501)


async def test_24_what_follows_a_refusal(tmp_path: Path, wire: Wire) -> None:
    """After a refused body the connection ends, so none of it is taken for the next request."""
    hidden = post(BODY)
    async with world(tmp_path, wire, max_body=10) as here:
        here.client.send(CHAT_LINE + HOST + b"Content-Length: 5000000\r\n\r\n" + hidden * 20)
        answer = await here.client.answer()
        assert (answer.status, answer.values(b"connection")) == (413, [b"close"])
        here.client.close()
        assert here.provider.connections == 0


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/messages", "type"), ("/api/v1/chat/completions", "error"), ("/v1/x", "error")],
)
async def test_refusals_speak_the_apis_language(
    tmp_path: Path, wire: Wire, path: str, kind: str
) -> None:
    """A refusal whose address could be read comes in the envelope of the API it names."""
    request = post(BODY, path, "Expect: nonsense")
    assert await is_refused(tmp_path, wire, request, 417, envelope=kind)
