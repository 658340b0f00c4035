"""Waiting for what has no event, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 50.0
"""Seconds that a busy machine may take for what another one does at once; less than the minute that
tests give to what is not to be waited for."""


async def until(condition: Callable[[], bool], within: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.001)


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = PATIENCE) -> None:
    """The same of a condition that is asked for over a socket, or of a store."""
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)
