"""What goes out to clients at the end of a turn of the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from gateway.wire.outbox import Outbox


class Committed:
    """Counts commits, and what each client could have read when they came."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.Transport, asyncio.StreamReader]]:
    """A server's transport, and the client's end of it."""
    made: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set_result(cast(asyncio.Transport, transport))

    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        transport = await made
        yield transport, reader
        transport.abort()
        writer.close()
        await writer.wait_closed()


async def test_written_at_the_end_of_the_turn() -> None:
    """All of a turn goes out with one commit before it, in order, and the end comes last."""
    committed = Committed()
    outbox = Outbox(committed)
    async with connected() as (transport, reader):
        outbox.close(transport)
        outbox.write(transport, b"one ")
        outbox.write(transport, b"two")
        assert committed.count == 0
        assert not transport.is_closing()
        assert await reader.read() == b"one two"
        assert committed.count == 1


async def test_flush() -> None:
    """What is due goes out at once, and not a second time."""
    committed = Committed()
    outbox = Outbox(committed)
    async with connected() as (transport, reader):
        outbox.write(transport, b"one")
        outbox.flush()
        assert committed.count == 1
        transport.write(b" two")
        outbox.close(transport)
        assert await reader.read() == b"one two"


async def test_nobody_is_left() -> None:
    """What was for a client that left in the meantime is dropped; the others get theirs."""
    outbox = Outbox(Committed())
    async with connected() as (gone, _), connected() as (there, reader):
        outbox.write(gone, b"one")
        outbox.write(there, b"two")
        gone.abort()
        outbox.close(there)
        assert await reader.read() == b"two"


async def test_woken_again() -> None:
    """A turn after a turn in which something went out works like the first."""
    outbox = Outbox(Committed())
    async with connected() as (transport, reader):
        outbox.write(transport, b"one")
        assert await reader.readexactly(3) == b"one"
        outbox.write(transport, b"two")
        assert await reader.readexactly(3) == b"two"
