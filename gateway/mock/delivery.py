"""How a mock provider's answer gets onto the connection, or fails to."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, Self

import msgspec
from aiohttp import web


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, ready to be sent: its body in pieces.

    `delay` seconds pass before the first byte, `pause` seconds after every piece. `length` of the
    whole body in bytes; None sends it chunked.
    """

    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}
    pieces: tuple[bytes, ...] = ()
    length: int | None = None
    delay: float = 0.0
    pause: float = 0.0

    @classmethod
    def of_json(cls, payload: Mapping[str, Any], **fields: Any) -> Self:
        """`payload` as JSON, in two pieces; `fields` are those of the answer."""
        body = msgspec.json.encode(payload)
        middle = len(body) // 2
        return cls(pieces=(body[:middle], body[middle:]), length=len(body), **fields)

    def first_half(self) -> Self:
        """The same answer, as far as it gets when the provider dies on it."""
        return msgspec.structs.replace(self, pieces=self.pieces[: len(self.pieces) // 2])


async def send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send all pieces of `answer`, in its own time, or as many as the client stays for."""
    await asyncio.sleep(answer.delay)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = answer.length
    with suppress(ConnectionError):
        await response.prepare(request)
        for piece in answer.pieces:
            await response.write(piece)
            if answer.pause:
                await asyncio.sleep(answer.pause)
    return response


async def cut_short(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send the first half of `answer`, then close the connection."""
    response = await send(request, answer.first_half())
    if request.transport is not None:
        request.transport.close()
    return response


async def break_connection(
    request: web.Request, breakage: Literal["hang", "refuse", "garbage"]
) -> web.StreamResponse:
    """Answer nothing, in the way of `breakage`. What is returned cannot be sent any more."""
    if breakage == "hang":
        await asyncio.get_running_loop().create_future()
    if request.transport is not None and breakage == "garbage":
        request.transport.write(b"the oven is out\r\n\r\n")
        request.transport.close()
    elif request.transport is not None:
        request.transport.abort()
    return web.Response()
