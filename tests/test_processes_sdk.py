"""Streams of a real SDK while `hearth serve` exchanges its workers, and while it ends."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.parts.calls import at, ends_at
from tests.parts.raw_provider import serving
from tests.parts.served import Served, served
from tests.parts.waiting import PATIENCE, eventually, until

pytestmark = pytest.mark.heavy

USERS = range(8)

Stream = openai.AsyncStream[ChatCompletionChunk]


@asynccontextmanager
async def streaming(
    folder: Path, moment: asyncio.Event
) -> AsyncIterator[tuple[Served, openai.AsyncOpenAI]]:
    """A gateway with two workers and two providers, whose streams end at the moment."""
    async with (
        serving(ends_at(moment)) as a,
        serving(ends_at(moment)) as b,
        served(folder, [at(a, "a"), at(b, "b")], server={"workers": 2, "drain": "1m"}) as gateway,
        openai.AsyncOpenAI(
            base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=PATIENCE
        ) as client,
    ):
        yield gateway, client


async def begin(client: openai.AsyncOpenAI) -> list[Stream]:
    """A stream of each user, with its first chunk on the way."""
    return [
        await client.chat.completions.create(
            model="gpt-4o-mini",
            user=f"user_{number}",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
        )
        for number in USERS
    ]


async def read(stream: Stream) -> str:
    """All that it says, to an end in order."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def homes(streams: Sequence[Stream]) -> list[str]:
    """The provider of each user."""
    return [stream.response.headers["X-Hearth-Provider"] for stream in streams]


async def test_streams_through_a_reload(tmp_path: Path) -> None:
    """Those of the old workers and of the new ones come whole, and nobody has moved."""
    moment = asyncio.Event()
    async with streaming(tmp_path, moment) as (gateway, client):
        before, old = await begin(client), set(gateway.workers())
        os.kill(gateway.pid, signal.SIGHUP)
        await until(lambda: len(set(gateway.workers()) - old) == 2)
        # Retired workers answer what comes on the connections they have; new ones go elsewhere.
        after = await begin(client)
        assert homes(after) == homes(before)
        assert set(homes(before)) == {"a", "b"}
        moment.set()
        assert {await read(stream) for stream in (*before, *after)} == {"Hello"}


async def test_streams_through_the_end(tmp_path: Path) -> None:
    """They come whole after SIGTERM, and then nothing is left."""
    moment = asyncio.Event()
    async with streaming(tmp_path, moment) as (gateway, client):
        streams = await begin(client)
        os.kill(gateway.pid, signal.SIGTERM)
        await eventually(lambda: _refuses(client))
        moment.set()
        assert {await read(stream) for stream in streams} == {"Hello"}
        assert await asyncio.wait_for(gateway.running.process.wait(), PATIENCE) == 0


async def _refuses(client: openai.AsyncOpenAI) -> bool:
    try:
        await client.models.list()
    except openai.APIConnectionError:
        return True
    return False
