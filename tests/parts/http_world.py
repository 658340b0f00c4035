"""One HTTP client, one gateway, one provider: what goes in on one side, what comes out beyond."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from gateway.wire.limits import LIMITS, Limits
from tests.parts.calls import COMPLETION, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.raw_client import RawClient, connected
from tests.parts.raw_provider import RawProvider, Script, serving

CHAT_LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
BODY = b'{"model":"gpt-4o-mini"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKED_BODY = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


class World(msgspec.Struct, frozen=True):
    """`requests` is what the provider was asked, if it runs the script that keeps it."""

    gateway: RunningGateway
    provider: RawProvider
    client: RawClient
    requests: Requests

    @property
    def seen(self) -> list[tuple[bytes, bytes]]:
        """Head and body of every request that reached the provider."""
        return self.requests.seen


@asynccontextmanager
async def world(
    folder: Path,
    wire: Wire,
    *scripts: Script,
    limits: Limits = LIMITS,
    answer: bytes = whole(COMPLETION),
    **server: Any,
) -> AsyncIterator[World]:
    """A gateway between a client and a provider that runs `scripts`, or gives `answer`."""
    requests = Requests(answer)
    async with (
        serving(*(scripts or (requests,))) as provider,
        running_gateway(folder, [at(provider)], limits, server={"wire": wire, **server}) as gateway,
        connected(gateway.origin) as client,
    ):
        yield World(gateway, provider, client, requests)


def fields_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """Lower-case names and values of a head's field lines."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    return [(line.partition(b": ")[0].lower(), line.partition(b": ")[2]) for line in lines]
