"""Proxies that are trusted: whom they speak for, on both edges, and that nobody else does."""

from pathlib import Path

import aiohttp
import pytest

from gateway.calls.head import Headers
from gateway.dashboard.access.attempts import MAX_FAILURES
from gateway.dashboard.access.session import COOKIE
from gateway.wire.trusted_proxies import TrustedProxies, is_secure
from tests.parts.calls import CHAT
from tests.parts.gateways import Wire, running_gateway
from tests.parts.http_world import world
from tests.parts.raw_client import connected, post
from tests.parts.recorded import generations

TRUSTED = TrustedProxies(("10.0.0.0/8", "127.0.0.1", "2001:db8::/32"))
KEYS = [{"name": "app", "key": "sk-app"}, {"name": "ops", "key": "sk-ops", "role": "management"}]
NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:9"}


def forwarded_for(*values: str) -> Headers:
    """The field, once for each value, among others."""
    lines = [(b"X-Forwarded-For", value.encode()) for value in values]
    return [(b"Host", b"hearth"), *lines, (b"X-Forwarded-Host", b"192.0.2.99")]


@pytest.mark.parametrize(
    ("peer", "is_trusted"),
    [
        *(("10.1.2.3", True), ("127.0.0.1", True), ("2001:db8:1::2", True)),
        *(("::ffff:10.1.2.3", True), ("2001:db8::1%eth0", True)),
        *(("11.0.0.1", False), ("127.0.0.2", False), ("2001:db9::1", False), ("", False)),
    ],
)
def test_who_is_trusted(peer: str, is_trusted: bool) -> None:
    """An address in one of the networks, IPv4 also where the socket has it as IPv6."""
    assert TRUSTED.trust(peer) is is_trusted


def test_nobody_is_trusted_unasked() -> None:
    """Without the setting, not even this machine is."""
    assert not TrustedProxies(()).trust("127.0.0.1")


@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        (["6.6.6.6", "203.0.113.7", "10.0.0.2,10.0.0.3"], "203.0.113.7"),
        (["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ([" ,, 203.0.113.7\t, "], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:DB9::0:1]:443"], "2001:db9::1"),
        (["[2001:db9::1]"], "2001:db9::1"),
        (["2001:db9::1, [2001:db8::5]:80"], "2001:db9::1"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, ::ffff:10.0.0.2"], "203.0.113.7"),
        (["203.0.113.7, unknown"], "127.0.0.1"),
        (["203.0.113.7, unknown, 10.0.0.2"], "10.0.0.2"),
        (["203.0.113.7, 10.0.0.256"], "127.0.0.1"),
        (["fe80::1%<b>"], "127.0.0.1"),
        (["203.0.113.7 10.0.0.2"], "127.0.0.1"),
        (["203.0.113.7:x"], "127.0.0.1"),
        (["\u0662.0.0.1"], "127.0.0.1"),
        ([""], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_the_right_most_address_that_is_not_trusted(values: list[str], client: str) -> None:
    """It is the one that a trusted proxy was called from; what is no address ends the search, and
    lines of one name are one list."""
    assert TRUSTED.client(forwarded_for(*values), "127.0.0.1") == client


@pytest.mark.parametrize(
    ("values", "secure"),
    [
        *(([b"https"], True), ([b"HTTPS"], True), ([b"https, http"], True)),
        *(([b"http"], False), ([b"http", b"https"], False), ([b""], False), ([], False)),
    ],
)
def test_the_clients_own_scheme(values: list[bytes], secure: bool) -> None:
    """The first of several is that of the proxy the client itself called."""
    assert is_secure([(b"x-forwarded-proto", value) for value in values]) is secure


@pytest.mark.parametrize(("networks", "first"), [(["127.0.0.0/8"], "203.0.113.7"), ([], None)])
async def test_calls_have_their_clients_address(
    tmp_path: Path, wire: Wire, networks: list[str], first: str | None
) -> None:
    """On record is who a trusted proxy says it is, of each call on its connection anew; else the
    other end of the connection. The provider gets the field as it came."""
    said = ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.7, 127.0.0.9"]
    path = "/v1/chat/completions"
    async with world(tmp_path, wire, trusted_proxies=networks) as here:
        for fields in (said, ["X-Forwarded-For: 2001:db9::1"], []):
            assert (await here.client.ask(post(CHAT, path, *fields))).status == 200
        found = [each["hearth"]["ip_address"] for each in await generations(here.gateway)]
    head = here.seen[0][0].split(b"\r\n")
    assert [line for line in head if line.startswith(b"X-Forwarded-For")] == [
        line.encode() for line in said
    ]
    peer = "127.0.0.1"
    assert found == [peer, "2001:db9::1" if first else peer, first or peer]


async def test_visitors_behind_a_proxy_have_attempts_of_their_own(
    tmp_path: Path, wire: Wire
) -> None:
    """One who tries keys does not keep the others from signing in."""
    server = {"wire": wire, "trusted_proxies": ["127.0.0.1"]}
    async with (
        running_gateway(tmp_path, [NOWHERE], keys=KEYS, server=server) as gateway,
        aiohttp.ClientSession() as proxy,
    ):

        async def sign_in(visitor: str, key: str) -> int:
            fields = {"X-Forwarded-For": visitor}
            url = f"{gateway.origin}/login"
            async with proxy.post(
                url, data={"key": key}, headers=fields, allow_redirects=False
            ) as answer:
                return answer.status

        tried = [await sign_in("203.0.113.7", "wrong") for _ in range(MAX_FAILURES)]
        assert tried == [401] * MAX_FAILURES
        assert await sign_in("203.0.113.7", "sk-ops") == 429
        assert await sign_in("203.0.113.8", "sk-ops") == 303


@pytest.mark.parametrize(
    ("networks", "scheme", "secure"),
    [(["127.0.0.1"], "https", True), (["127.0.0.1"], "http", False), ([], "https", False)],
)
async def test_the_cookie_is_for_tls_alone(
    tmp_path: Path, wire: Wire, networks: list[str], scheme: str, secure: bool
) -> None:
    """Where a trusted proxy says that the visitor came by https."""
    server = {"wire": wire, "trusted_proxies": networks}
    async with (
        running_gateway(tmp_path, [NOWHERE], keys=KEYS, server=server) as gateway,
        aiohttp.ClientSession(headers={"X-Forwarded-Proto": scheme}) as proxy,
        proxy.post(
            f"{gateway.origin}/login", data={"key": "sk-ops"}, allow_redirects=False
        ) as answer,
    ):
        assert bool(answer.cookies[COOKIE]["secure"]) is secure


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"CONNECT hearth:80 HTTP/1.1", 501),
        (b"GET http://hearth/healthz HTTP/1.1", 200),
        (b"OPTIONS * HTTP/1.1", 204),
        (b"\x00", 400),
    ],
)
async def test_requests_of_every_form_are_judged(
    tmp_path: Path, wire: Wire, line: bytes, status: int
) -> None:
    """A target of any form, and what is no request, are answered to a proxy as to anyone."""
    server = {"wire": wire, "trusted_proxies": ["127.0.0.1"]}
    said = b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n"
    fields = b"\r\nHost: localhost\r\n" + said
    async with (
        running_gateway(tmp_path, [NOWHERE], server=server) as gateway,
        connected(gateway.origin) as proxy,
    ):
        assert (await proxy.ask(line + fields)).status == status
