"""What clients do. Each call is made once, and raises Unexpected when its end is not what it asks
for."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from urllib.parse import urlsplit

import aiohttp
import msgspec

from bench.traffic import MODEL

_LARGE = 1_000_000
_PATH = "/v1/chat/completions"
_QUESTIONS = ("/metrics", "/api/v1/generations?limit=20", "/api/v1/activity")
_JSON = {"Content-Type": "application/json"}


class Unexpected(Exception):
    """A call ended otherwise than it should; the text says how."""


class Caller:
    """Makes calls to the gateway at `origin`, all over one pool of connections."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self._origin = origin
        self._url = f"{origin}{_PATH}"

    async def chat(self, user: str) -> None:
        """A small question, answered at once."""
        await self._answered(_body(user, "Good morning. Two loaves of rye bread, please."))

    async def stream(self, user: str) -> None:
        """Five chunks, read to the end."""
        body = _body(user, _chunks(5), stream=True)
        came = b""
        try:
            async with self._session.post(self._url, data=body, headers=_JSON) as answer:
                _expect(answer, 200)
                async for piece in answer.content.iter_any():
                    came += piece
        except TimeoutError:
            raise Unexpected(f"a stream that stopped after {len(came)} bytes") from None
        if not came.endswith(b"data: [DONE]\n\n"):
            raise Unexpected(f"a stream without its end, of {len(came)} bytes")

    async def hang_up(self, user: str) -> None:
        """Gone after the first of a thousand chunks."""
        body = _body(user, _chunks(1000), stream=True)
        async with self._session.post(self._url, data=body, headers=_JSON) as answer:
            _expect(answer, 200)
            await answer.content.readany()
            answer.close()

    async def upload(self, user: str) -> None:
        """A question of a megabyte."""
        await self._answered(_body(user, "a" * _LARGE))

    async def break_off(self, user: str) -> None:
        """Gone in the middle of the question."""
        body = _body(user, "Never heard.")
        place = urlsplit(self._origin)
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        head = f"POST {_PATH} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body[:50])
        await writer.drain()
        writer.close()

    async def mistake(self, user: str) -> None:
        """A user that is a list, which is refused."""
        body = msgspec.json.encode({"model": MODEL, "user": [user], "messages": []})
        async with self._session.post(self._url, data=body, headers=_JSON) as answer:
            _expect(answer, 400)
            await answer.read()

    async def ask(self, user: str) -> None:
        """What operators and users want to know."""
        for question in (*_QUESTIONS, f"/api/v1/generations?user={user}"):
            async with self._session.get(f"{self._origin}{question}") as answer:
                _expect(answer, 200)
                await answer.read()

    async def _answered(self, body: bytes) -> bytes:
        async with self._session.post(self._url, data=body, headers=_JSON) as answer:
            _expect(answer, 200)
            return await answer.read()


class Kind(msgspec.Struct, frozen=True):
    """`weight` of all calls are of this kind."""

    name: str
    weight: float
    call: Callable[[Caller, str], Awaitable[None]]


KINDS = (
    Kind("answered whole", 0.755, Caller.chat),
    Kind("streamed", 0.15, Caller.stream),
    Kind("hung up in the stream", 0.04, Caller.hang_up),
    Kind("1 MB bodies", 0.01, Caller.upload),
    Kind("broken off in the body", 0.02, Caller.break_off),
    Kind("refused", 0.02, Caller.mistake),
    Kind("questions to the ledger", 0.005, Caller.ask),
)


def any_kind(chance: Random) -> Kind:
    """One of KINDS, by weight."""
    return chance.choices(KINDS, [each.weight for each in KINDS])[0]


def _body(user: str, text: str, *, stream: bool = False) -> bytes:
    fields = {"model": MODEL, "user": user, "messages": [{"role": "user", "content": text}]}
    return msgspec.json.encode({**fields, "stream": True} if stream else fields)


def _chunks(number: int) -> str:
    """What bench.upstream understands."""
    return f"Write {number} chunks, one every 20 ms."


def _expect(answer: aiohttp.ClientResponse, status: int) -> None:
    if answer.status != status:
        raise Unexpected(f"{answer.method} {answer.url.path}: {answer.status}")
