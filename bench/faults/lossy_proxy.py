"""A TCP proxy before a Redis that can lose what the Redis answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

from bench.ports import HOST


class Proxy:
    """Passes bytes on both ways. `losing`: how many more connections end instead of a reply.

    The request has been answered by then: what it asked for was done.
    """

    def __init__(self, behind: int) -> None:
        self.port = 0
        self.losing = 0
        self._behind = behind

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection; it ends at once where the Redis is away."""
        try:
            server, to_server = await asyncio.open_connection(HOST, self._behind)
        except OSError:
            to_client.close()
            return
        asking = asyncio.create_task(self._pass(client, to_server))
        answering = asyncio.create_task(self._answer(server, to_client))
        await asyncio.wait([asking, answering], return_when=asyncio.FIRST_COMPLETED)
        for task in (asking, answering):
            task.cancel()
        for writer in (to_client, to_server):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.losing:
                    self.losing -= 1
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def proxy(behind: int, tls: SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy before a port of this machine."""
    passing = Proxy(behind)
    server = await asyncio.start_server(passing.serve, HOST, 0, ssl=tls)
    passing.port = server.sockets[0].getsockname()[1]
    try:
        yield passing
    finally:
        server.close()
