"""What goes wrong, and when: each scenario is a coroutine that harms a stand and heals it again."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import msgspec

from bench.faults.stand import Stand


class Scenario(msgspec.Struct, frozen=True):
    """`run` takes as long as the stand's load is to last."""

    name: str
    run: Callable[[Stand], Awaitable[None]]


async def nothing(stand: Stand) -> None:
    """No fault, for comparison."""
    await asyncio.sleep(stand.seconds)


async def redis_killed(stand: Stand) -> None:
    """Redis dies at once and comes back, from what it had synced to its disk."""

    async def once() -> None:
        await asyncio.to_thread(stand.redis.kill)
        await _pause(stand)
        await asyncio.to_thread(stand.redis.start)

    await _repeatedly(stand, once)


async def redis_gone(stand: Stand) -> None:
    """Redis is away nearly all the time, and what waited for it is shipped in the end."""
    await asyncio.sleep(0.1 * stand.seconds)
    await asyncio.to_thread(stand.redis.kill)
    await asyncio.sleep(0.8 * stand.seconds)
    await asyncio.to_thread(stand.redis.start)
    await asyncio.sleep(0.1 * stand.seconds)


async def redis_paused(stand: Stand) -> None:
    """Redis hangs: connections stay open and nobody answers."""

    async def once() -> None:
        stand.redis.signal(signal.SIGSTOP)
        try:
            await _pause(stand)
        finally:
            stand.redis.signal(signal.SIGCONT)

    await _repeatedly(stand, once)


async def replies_lost(stand: Stand) -> None:
    """What Redis did is done, but whoever asked never hears of it."""

    async def once() -> None:
        stand.proxy.losing += stand.chance.randrange(1, 4)

    await _repeatedly(stand, once, often=4)
    stand.proxy.losing = 0


async def gateway_killed(stand: Stand) -> None:
    """Some process of some gateway is killed, and runs again soon."""

    async def once() -> None:
        await stand.chance.choice(stand.gateways).kill(stand.chance)

    await _repeatedly(stand, once)


async def everything(stand: Stand) -> None:
    """All of it at once, except that Redis is either killed or paused."""

    async def redis() -> None:
        await (stand.chance.choice((redis_killed, redis_paused)))(stand)

    await asyncio.gather(redis(), replies_lost(stand), gateway_killed(stand))


SCENARIOS = (
    Scenario("nothing fails", nothing),
    Scenario("Redis killed", redis_killed),
    Scenario("Redis gone", redis_gone),
    Scenario("Redis paused", redis_paused),
    Scenario("replies lost", replies_lost),
    Scenario("gateways killed", gateway_killed),
    Scenario("all at once", everything),
)


async def _repeatedly(stand: Stand, once: Callable[[], Awaitable[None]], often: int = 1) -> None:
    """Again and again until the stand's time is over, at moments that nobody can foresee."""
    end = time.monotonic() + stand.seconds
    while True:
        wait = stand.chance.uniform(0.1, 0.3) * stand.seconds / often
        if time.monotonic() + wait > end:
            break
        await asyncio.sleep(wait)
        await once()
    await asyncio.sleep(max(0.0, end - time.monotonic()))


async def _pause(stand: Stand) -> None:
    await asyncio.sleep(stand.chance.uniform(0.05, 0.2) * stand.seconds)
