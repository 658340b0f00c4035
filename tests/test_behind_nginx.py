"""Hearth behind nginx, with the site that `deploy/nginx.conf` is."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bench.ports import free_port
from gateway.dashboard.access.session import COOKIE
from tests.parts.calls import CHAT, COMPLETION, Requests, at, read_request, whole
from tests.parts.certificates import tls_section
from tests.parts.gateways import running_gateway
from tests.parts.raw_provider import Peer, serving
from tests.parts.recorded import only_generation
from tests.parts.waiting import PATIENCE, until

NGINX = shutil.which("nginx")
SITE = Path(__file__).parent.parent / "deploy/nginx.conf"
NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:9"}
BEHIND = {"trusted_proxies": ["127.0.0.1"]}
KEYS = [{"name": "app", "key": "sk-app"}, {"name": "ops", "key": "sk-ops", "role": "management"}]

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def _write(folder: Path, origin: str, port: int) -> Path:
    """nginx' own configuration, with the site's addresses and certificate made local."""
    tls = tls_section(folder, "localhost")
    site = SITE.read_text().replace("server 127.0.0.1:8080;", f"server {origin[7:]};")
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    site = re.sub(r"/etc/ssl/hearth\.crt", tls["cert"], site)
    site = re.sub(r"/etc/ssl/hearth\.key", tls["key"], site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}{site}\n}}\n"
    )
    return file


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def nginx(folder: Path, origin: str) -> AsyncIterator[str]:
    """The address of an nginx in front of `origin`, for as long as the context is open."""
    port = free_port()
    file = _write(folder, origin, port)
    running = await asyncio.create_subprocess_exec(NGINX or "", "-c", str(file))
    try:
        await until(lambda: _listens(port))
        yield f"https://localhost:{port}"
    finally:
        running.terminate()
        await running.wait()


async def test_a_stream_is_not_held_back(tmp_path: Path) -> None:
    """The client has an event before the provider sends the next one."""
    read = asyncio.Event()

    async def script(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        await read.wait()
        peer.send(b"data: [DONE]\n\n")
        peer.close()

    async with (
        serving(script) as provider,
        running_gateway(tmp_path, [at(provider, "a")], keys=KEYS, server=BEHIND) as gateway,
        nginx(tmp_path, gateway.origin) as front,
        aiohttp.ClientSession(headers={"Authorization": "Bearer sk-app"}) as client,
        asyncio.timeout(PATIENCE),
    ):
        url = f"{front}/v1/chat/completions"
        async with client.post(url, data=CHAT, ssl=False) as answer:
            assert await answer.content.readuntil(b"\n\n") == b"data: one\n\n"
            read.set()
            assert await answer.content.read() == b"data: [DONE]\n\n"


async def test_signing_in(tmp_path: Path) -> None:
    """The form is not taken for another site's, and the cookie is for TLS alone."""
    async with (
        running_gateway(tmp_path, [NOWHERE], keys=KEYS, server=BEHIND) as gateway,
        nginx(tmp_path, gateway.origin) as front,
        aiohttp.ClientSession(headers={"Origin": front}) as client,
        client.post(
            f"{front}/login", data={"key": "sk-ops"}, ssl=False, allow_redirects=False
        ) as answer,
    ):
        assert answer.status == 303
        assert answer.cookies[COOKIE]["secure"]


async def test_calls_have_their_clients_address(tmp_path: Path) -> None:
    """Not nginx', and not the one that the client made up."""
    requests = Requests(whole(COMPLETION))
    async with (
        serving(requests) as provider,
        running_gateway(tmp_path, [at(provider)], keys=KEYS, server=BEHIND) as gateway,
        nginx(tmp_path, gateway.origin) as front,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0)),
            headers={"Authorization": "Bearer sk-app", "X-Forwarded-For": "6.6.6.6"},
        ) as client,
    ):
        async with client.post(f"{front}/v1/chat/completions", data=CHAT, ssl=False) as answer:
            assert answer.status == 200
        record = await only_generation(gateway, "sk-app")
    assert record["hearth"]["ip_address"] == "127.0.0.2"
