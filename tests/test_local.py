"""Which requests can only be meant for this machine, whatever page a browser shows."""

from pathlib import Path

import pytest

from gateway.calls.local import is_local
from tests.parts.calls import CHAT
from tests.parts.gateways import Wire
from tests.parts.http_world import world
from tests.parts.raw_client import post

HERE = b"localhost:8080"


@pytest.mark.parametrize(
    "host",
    [
        *(None, b"", b"localhost", b"LocalHost:8080", b"app.localhost", b"127.0.0.1:8080"),
        *(b"[::1]:8080", b"10.0.0.7", b"[2001:db8::1]"),
    ],
)
def test_own_hosts(host: bytes | None) -> None:
    """localhost and what ends with it (RFC 6761 section 6.3), and addresses: nobody can have these
    point elsewhere."""
    assert is_local(host, None)


@pytest.mark.parametrize(
    "host", [b"evil.example", b"localhost.evil.example", b"127.0.0.1.evil.example", b"x", b"[::1"]
)
def test_names_of_others(host: bytes) -> None:
    """A name may be anybody's, who may have it point here while its page is shown."""
    assert not is_local(host, None)


@pytest.mark.parametrize(
    ("origin", "local"),
    [
        (b"http://localhost:3000", True),
        (b"https://127.0.0.1", True),
        (b"http://[::1]:1", True),
        (b"https://evil.example", False),
        (b"http://203.0.113.7", False),
        (b"http://localhost.evil.example", False),
        (b"null", False),
        (b"file://", False),
        (b"http://[", False),
    ],
)
def test_origins(origin: bytes, local: bool) -> None:
    """Pages of this machine may call, pages of others and of nobody may not."""
    assert is_local(HERE, origin) is local


def test_origin_of_the_same_address() -> None:
    """A page of Hearth's own is at the address that it is asked for."""
    assert is_local(b"10.0.0.7:8080", b"http://10.0.0.7:8080")


@pytest.mark.parametrize("field", ["Host: evil.example", "Origin: https://evil.example"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/users", "/metrics", "/login"])
async def test_open_gateway_answers_no_other_site(
    tmp_path: Path, wire: Wire, field: str, path: str
) -> None:
    """What a website has a browser send is refused on every edge, and reaches no provider."""
    request = post(CHAT, path) if path.startswith("/v1") else _page(path)
    name = field.partition(":")[0].encode()
    lines = [each for each in request.split(b"\r\n") if not each.startswith(name)]
    forged = b"\r\n".join([lines[0], field.encode(), *lines[1:]])
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(forged)
    assert (answer.status, here.seen) == (403, [])
    assert b"localhost" in answer.body


async def test_behind_a_trusted_proxy(tmp_path: Path, wire: Wire) -> None:
    """Who names a proxy has it decide who may call, under whatever name."""
    async with world(tmp_path, wire, trusted_proxies=["127.0.0.1"]) as here:
        here.client.send(post(CHAT).replace(b"Host: localhost", b"Host: hearth.example"))
        assert (await here.client.answer()).status == 200


def _page(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".encode()
