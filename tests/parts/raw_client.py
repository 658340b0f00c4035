"""A client that says to the byte what a test wants said, and reads what comes back as it is."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec

from tests.parts.resets import reset_at_close
from tests.parts.waiting import PATIENCE, eventually


class RawAnswer(msgspec.Struct, frozen=True):
    """One answer. `pieces` are the chunks of a chunked body, else the body as one piece.

    `complete`: the body came to the end that its head announced.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    pieces: list[bytes]
    complete: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def values(self, name: bytes) -> list[bytes]:
        """All values of a field, in order."""
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def text(self, name: str) -> str:
        """The one value of a field."""
        (value,) = self.values(name.encode())
        return value.decode()


async def until_refused(origin: str) -> None:
    """Return as soon as nobody listens at `origin` any more."""
    await eventually(lambda: _is_refused(origin))


async def _is_refused(origin: str) -> bool:
    try:
        async with connected(origin):
            return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # let in by the kernel just before, and by nobody else
        return False


class RawClient:
    """The client's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def send_slowly(self, *pieces: bytes) -> None:
        """Send each piece so that it is read apart from the one before."""
        for piece in pieces:
            self._writer.write(piece)
            await asyncio.sleep(0.002)

    async def ask(self, request: bytes) -> RawAnswer:
        """Send it; the next answer, which is its own unless others are awaited."""
        self.send(request)
        return await self.answer()

    async def answer(self) -> RawAnswer:
        """The next answer, its body read to the end or to where it broke off."""
        status, headers = await self.head()
        pieces = [piece async for piece in self.pieces(headers)]
        complete = bool(pieces) and pieces[-1] == b""
        return RawAnswer(status, headers, pieces[:-1] if complete else pieces, complete)

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and fields of the next answer."""
        raw = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE)
        first, *lines = raw[:-4].split(b"\r\n")
        fields = [line.split(b": ", 1) for line in lines]
        return int(first.split(b" ")[1]), [(name, value) for name, value in fields]

    async def pieces(self, headers: list[tuple[bytes, bytes]]) -> AsyncIterator[bytes]:
        """The body as it comes; an empty piece marks the announced end, if that is reached."""
        fields = {name.lower(): value for name, value in headers}
        try:
            if b"transfer-encoding" in fields:
                while size := int(await self._line(), 16):
                    yield await self._exactly(size)
                    await self._line()
                await self._line()
            elif length := int(fields.get(b"content-length", b"0")):
                yield await self._exactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield b""

    async def rest(self) -> bytes:
        """Everything until the gateway closes."""
        return await asyncio.wait_for(self._reader.read(), PATIENCE)

    async def some(self) -> bytes:
        """What has come, as soon as anything has; nothing at the connection's end."""
        return await asyncio.wait_for(self._reader.read(1 << 20), PATIENCE)

    async def is_closed(self) -> bool:
        """Whether the gateway closes, having sent nothing more."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    @property
    def unsent(self) -> int:
        """Bytes that wait here, as the gateway and the kernel take no more."""
        return self._writer.transport.get_write_buffer_size()

    def reset(self) -> None:
        """End with a TCP reset."""
        reset_at_close(self._writer.get_extra_info("socket"))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()

    async def _line(self) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n"), PATIENCE)

    async def _exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(size), PATIENCE)


@asynccontextmanager
async def connected(origin: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawClient]:
    """A connection to `origin`, as long as the context is open."""
    address = urlsplit(origin)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=tls)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def connected_saying(origin: str, first: bytes) -> AsyncIterator[RawClient]:
    """The same, with `first` sent before anybody accepts it: however busy the machine is, none of
    the gateway's times runs out between the two."""
    address = urlsplit(origin)
    direct = socket.create_connection((address.hostname, address.port))
    direct.sendall(first)
    reader, writer = await asyncio.open_connection(sock=direct)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


async def ask_once(origin: str, request: bytes) -> RawAnswer:
    """The answer to a request on a connection of its own."""
    async with connected(origin) as client:
        return await client.ask(request)


def post(body: bytes, path: str = "/v1/chat/completions", *fields: str) -> bytes:
    """A POST as an SDK would send it, with more field lines if given."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *fields]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "\r\n"]).encode() + body
