"""The clients: each calls again and again, and remembers what it was answered."""

import asyncio
import time
from collections.abc import Sequence
from random import Random

import aiohttp
import msgspec

from bench.faults.truth import Answered

_ANSWER = aiohttp.ClientTimeout(total=15)
_BREAK = 0.02
"""Seconds that a client waits before it tries again."""


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class _Answer(msgspec.Struct):
    usage: _Usage | None = None


class Load:
    """`clients` at once over `origins`, together `rate` calls a second; a quarter is streamed.

    `answered` has the calls whose answers came whole; `failed` counts those that broke off, or
    found nobody, as they do while a gateway is dead; `refused` those that were answered with an
    error.
    """

    def __init__(self, origins: Sequence[str], clients: int, rate: float, seed: int) -> None:
        self.answered: list[Answered] = []
        self.failed = 0
        self.refused = 0
        self._origins = origins
        self._pace = clients / rate
        self._clients = clients
        self._seed = seed
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Call in the background."""
        self._tasks = [asyncio.create_task(self._client(n)) for n in range(self._clients)]

    async def stop(self) -> None:
        """Let calls that are under way come to their end."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _client(self, number: int) -> None:
        chance = Random(f"{self._seed}-{number}")
        async with aiohttp.ClientSession(timeout=_ANSWER) as session:
            await asyncio.sleep(chance.random() * self._pace)
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    await self._call(session, chance)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    self.failed += 1
                    await asyncio.sleep(_BREAK)
                await asyncio.sleep(max(0.0, self._pace - (time.monotonic() - began)))

    async def _call(self, session: aiohttp.ClientSession, chance: Random) -> None:
        user, streams = f"user_{chance.randrange(200)}", chance.random() < 0.25
        body = {
            "model": "gpt-4o-mini",
            "user": user,
            "messages": [{"role": "user", "content": "Bread? " * chance.randrange(1, 40)}],
            **({"stream": True, "stream_options": {"include_usage": True}} if streams else {}),
        }
        began = time.monotonic()
        url = f"{chance.choice(self._origins)}/v1/chat/completions"
        async with session.post(url, json=body) as answer:
            text = await answer.read()
            if answer.status != 200:
                self.refused += 1
                return
            usage = _usage(text, streams)
            generation_id = answer.headers["X-Generation-Id"]
        latency = time.monotonic() - began
        self.answered.append(
            Answered(generation_id, user, usage.prompt_tokens, usage.completion_tokens, latency)
        )


def _usage(text: bytes, streams: bool) -> _Usage:
    """Out of the body, or the last event but [DONE]; a stream without it did not come whole."""
    if streams:
        events = [line[6:] for line in text.splitlines() if line.startswith(b"data: {")]
        if not text.rstrip().endswith(b"[DONE]"):
            raise aiohttp.ClientPayloadError("the stream broke off")
        text = events[-1]
    usage = msgspec.json.decode(text, type=_Answer).usage
    if usage is None:
        raise aiohttp.ClientPayloadError("the answer has no usage")
    return usage
