"""Header fields through the gateway: what ends here, what is put in place, what stays."""

from collections.abc import Mapping

import pytest

from gateway.calls.head import Headers
from gateway.calls.request import Request
from gateway.config import Provider, Timeouts
from gateway.wire.headers import UpstreamHead, accept_encoding, client_headers
from gateway.wire.upstream import Upstream
from gateway.wire.via import Via
from tests.parts.requests import request

HOP_BY_HOP = (
    *("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding"),
    *("Upgrade", "Proxy-Authorization", "Proxy-Authenticate"),
)
CREDENTIALS = (
    (b"Authorization", b"Bearer client"),
    (b"X-Api-Key", b"client"),
    (b"Api-Key", b"client"),
)


def head(
    asked: Request,
    *,
    path: str = "chat/completions",
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    length: int = 2,
    accept: bytes | None = None,
) -> list[str]:
    """The lines of the head that goes to a provider at `https://api.example:8443/openai/v1/`."""
    provider = Provider(
        name="a",
        base_url="https://api.example:8443/openai/v1/",
        api_key=api_key,
        headers=dict(headers or {}),
    )
    upstream = Upstream(provider.base_url, Timeouts())
    upstream_head = UpstreamHead(provider, upstream, Via("journal/"))
    built = upstream_head.build(asked.head, path, length, accept)
    assert built.endswith(b"\r\n\r\n")
    return built.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")


def values(lines: list[str], name: str) -> list[str]:
    fields = [line.split(": ", 1) for line in lines[1:]]
    return [value for field, value in fields if field.lower() == name.lower()]


def test_request_line_and_host_are_the_providers() -> None:
    """The path goes below the provider's base path, Host is its authority, query included."""
    lines = head(request(), path="chat/completions?a=%20b")
    assert lines[0] == "POST /openai/v1/chat/completions?a=%20b HTTP/1.1"
    assert values(lines, "Host") == ["api.example:8443"]


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_hop_by_hop_fields_end_here_both_ways(name: str) -> None:
    """RFC 9110 section 7.6.1: they are about one connection, in any spelling."""
    for spelled in (name, name.lower(), name.upper()):
        field = (spelled.encode(), b"x")
        assert values(head(request(field)), name) == []
        assert client_headers([field], []) == []


@pytest.mark.parametrize("name", ["Content-Length", "Expect", "Host"])
def test_what_the_new_message_decides_is_not_copied(name: str) -> None:
    """Length, expectation and host of the request that came say nothing about the one that goes."""
    assert "999" not in values(head(request((name.encode(), b"999"))), name)


CONNECTION_LINES = [
    [(b"Connection", b"x-foo, X-Bar")],
    [(b"Connection", b"close,X-FOO"), (b"connection", b" x-bar\t")],
    [(b"CONNECTION", b",,x-foo"), (b"Connection", b""), (b"Connection", b"x-bar")],
]


@pytest.mark.parametrize("connection", CONNECTION_LINES)
def test_fields_named_in_connection_end_here(connection: Headers) -> None:
    """On every Connection line, in any case, both ways."""
    fields = [(b"X-Foo", b"1"), (b"x-bar", b"2"), (b"X-Baz", b"3"), *connection]
    lines = head(request(*fields))
    assert values(lines, "x-foo") + values(lines, "x-bar") == []
    assert values(lines, "x-baz") == ["3"]
    assert client_headers(fields, []) == [(b"X-Baz", b"3")]


def test_other_fields_keep_spelling_order_and_repetition() -> None:
    """A gateway does not tidy up what is not its own."""
    fields = [(b"X-b", b"1"), (b"x-A", b""), (b"X-B", b"2"), (b"Content-Type", b"text/\xe4; a=b")]
    expected = ["X-b: 1", "x-A: ", "X-B: 2", "Content-Type: text/ä; a=b"]
    lines = head(request(*fields))
    assert [line for line in lines if line in expected] == expected
    assert client_headers(fields, []) == fields


def test_our_fields_follow_the_providers() -> None:
    """What Hearth says about the answer replaces what a Hearth before it said."""
    own = [
        (b"X-Generation-Id", b"mine"),
        (b"X-Hearth-Provider", b"a"),
        (b"X-Hearth-Route", b"home"),
    ]
    theirs = [(b"x-generation-id", b"t"), (b"x-hearth-provider", b"t"), (b"X-Hearth-Route", b"t")]
    kept = [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Content-Encoding", b"gzip")]
    assert client_headers([*theirs, *kept, (b"Content-Length", b"7")], own) == kept + own


VERSION = (b"Anthropic-Version", b"2023-06-01")
BEARER = "Authorization: Bearer provider"


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("chat/completions", [], [BEARER]),
        ("messages?beta=true", [], ["x-api-key: provider", BEARER]),
        ("messages/count_tokens", [], ["x-api-key: provider", BEARER]),
        ("files", [VERSION], ["x-api-key: provider", BEARER]),
        ("deployments/m/chat/completions?api-version=1", [], ["api-key: provider"]),
    ],
)
@pytest.mark.parametrize("shown", [*CREDENTIALS, (b"X-UsagePanda-API-Key", b"client")])
def test_clients_key_is_replaced_by_the_providers(
    path: str, fields: Headers, expected: list[str], shown: tuple[bytes, bytes]
) -> None:
    """In the field that the API takes it in, or the two of Anthropic's, wherever the client showed
    its own, which does not go out."""
    lines = head(request(shown, *fields), path=path, api_key="provider")
    assert [line for line in lines if "client" in line or "provider" in line] == expected


def test_all_three_credentials_are_replaced_by_one() -> None:
    """No field with the client's key is forgotten."""
    lines = head(request(*CREDENTIALS), api_key="provider")
    assert [line for line in lines if "client" in line or "provider" in line] == [BEARER]


@pytest.mark.parametrize("field", CREDENTIALS)
def test_provider_without_a_key_gets_the_clients(field: tuple[bytes, bytes]) -> None:
    """An absent `api_key` leaves the provider's key to the client."""
    assert f"{field[0].decode()}: {field[1].decode()}" in head(request(field))


@pytest.mark.parametrize("api_key", ["provider", None])
@pytest.mark.parametrize(
    "name",
    ["x-usagepanda-api-key", "X-UsagePanda-Enforce-User-IDs", "Helicone-Auth", "helicone-user-id"],
)
def test_fields_for_us_never_go_out(name: str, api_key: str | None) -> None:
    """Our own key and what is said to us are no provider's business."""
    lines = head(request((name.encode(), b"secret")), api_key=api_key)
    assert not [line for line in lines if "secret" in line]


def test_configured_headers_replace_the_clients() -> None:
    """A provider's `headers` are set once, whatever the client sent under that name."""
    lines = head(
        request((b"openai-organization", b"client"), (b"X-Other", b"1")),
        headers={"OpenAI-Organization": "org-1", "api-key": "azure"},
    )
    assert values(lines, "OpenAI-Organization") == ["org-1"]
    assert values(lines, "api-key") == ["azure"]
    assert values(lines, "x-other") == ["1"]


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (None, b"identity"),
        (b"", b"identity"),
        (b"br", b"identity"),
        (b"*", b"identity"),
        (b"gzip, deflate, br, zstd", b"gzip, deflate"),
        (b"br;q=1.0, GZIP;q=0.8 , identity;q=0", b"GZIP;q=0.8, identity;q=0"),
    ],
)
def test_only_readable_codings_are_asked_for(asked: bytes | None, sent: bytes) -> None:
    """A metered answer comes in a coding that the meter knows and the client takes."""
    subject = request() if asked is None else request((b"Accept-Encoding", asked))
    assert accept_encoding(subject.head, uncoded=False) == sent
    assert accept_encoding(subject.head, uncoded=True) == b"identity"


def test_accept_encoding_is_replaced_or_kept() -> None:
    """Where nothing is metered the client's own stays."""
    asked = request((b"Accept-Encoding", b"br"))
    assert values(head(asked, accept=b"gzip"), "accept-encoding") == ["gzip"]
    assert values(head(asked, accept=None), "accept-encoding") == ["br"]


@pytest.mark.parametrize(
    ("method", "length", "expected"),
    [
        ("POST", 17, ["17"]),
        ("POST", 0, ["0"]),
        ("PUT", 0, ["0"]),
        ("PATCH", 0, ["0"]),
        ("GET", 0, []),
        ("HEAD", 0, []),
        ("DELETE", 0, []),
        ("DELETE", 5, ["5"]),
    ],
)
def test_content_length_is_that_of_the_body_sent(
    method: str, length: int, expected: list[str]
) -> None:
    """Once, and also for an empty body of a method that has one; RFC 9110 section 8.6."""
    asked = request((b"Content-Length", b"999"), method=method)
    assert values(head(asked, length=length), "Content-Length") == expected


def test_via_is_added_after_those_before_us() -> None:
    """RFC 9110 section 7.6.3: every intermediary appends itself to the list."""
    lines = head(request((b"Via", b"1.0 edge")))
    before, own = values(lines, "Via")
    assert (before, own.partition("-")[0]) == ("1.0 edge", "1.1 hearth")


@pytest.mark.parametrize(
    "name", [b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override"]
)
def test_method_is_the_one_that_was_checked(name: bytes) -> None:
    """A provider is not told of another one."""
    assert not values(head(request((name, b"POST"))), name.decode())


def test_cookies_end_where_the_providers_key_is_put_in() -> None:
    """They are credentials too, and not the provider's; with the client's own key they pass."""
    cookie = request((b"Cookie", b"hearth_session=s"))
    assert values(head(cookie, api_key="provider"), "Cookie") == []
    assert values(head(cookie), "Cookie") == ["hearth_session=s"]
