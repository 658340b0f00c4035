"""The same calls through a running gateway, over real sockets, on a clock that runs faster.

A call is sent when its time comes; the mock providers' caches, and everything in the gateway's
configuration that is a time of health, keep to the same fast clock. What comes out is comparable
with a simulation of the same calls, but for the waiting, as the mock providers answer at once.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from typing import Any, cast

import aiohttp
import msgspec
from xxhash import xxh3_64_hexdigest

from bench.warmth.backend import Hardware
from bench.warmth.outcome import Served, Summary, summarize
from bench.warmth.simulation import MODEL, Outage, Simulation, provider_names, settings_of
from bench.warmth.strategies import ROUND_ROBIN, STICKY
from bench.warmth.study import PROVIDERS, Progress
from bench.warmth.workload import Call, Shape, make_calls
from gateway.config import Config, Ejection, Health, Ledger, Server, Sticky
from gateway.config import Provider as Settings
from gateway.generation import Route
from gateway.mock.provider import Clock
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from gateway.mock.tokens import CHARACTERS
from gateway.pricing.prices import Prices
from gateway.server import running
from gateway.units import Duration

SHAPE = Shape(users=2000, calls_per_second=2, seconds=1800)
HARDWARE = Hardware(cache=160_000)
"""A tenth of the comparison's load, and of its caches."""
OUTAGE = Outage("provider-b", 900, 1050)
SPEED = 30.0
WARM_UP = 300.0

_STRATEGIES = (STICKY, ROUND_ROBIN)
RUNS = len(_STRATEGIES)


class Confirmation(msgspec.Struct, frozen=True):
    """The same calls, simulated and sent."""

    name: str
    simulated: Summary
    sent: Summary


async def confirm(step: Progress, shape: Shape = SHAPE, speed: float = SPEED) -> list[Confirmation]:
    """Sticky and round robin, both with the outage."""
    calls = make_calls(shape)
    prices = Prices(settings_of(PROVIDERS))
    found: list[Confirmation] = []
    for strategy in _STRATEGIES:
        step(f"over sockets: {strategy.name}")
        runs = (
            Simulation(strategy, PROVIDERS, HARDWARE, OUTAGE).run(calls),
            await Replay(calls, speed, OUTAGE, in_turn=strategy is ROUND_ROBIN).run(),
        )
        counted = ([each for each in served if each.at >= WARM_UP] for served in runs)
        simulated, sent = (summarize(each, prices, MODEL) for each in counted)
        found.append(Confirmation(strategy.name, simulated, sent))
    return found


class Replay:
    """One run. `in_turn`: each call names the next provider as its first (`provider.order`)."""

    def __init__(
        self, calls: Sequence[Call], speed: float, outage: Outage | None = None, *, in_turn: bool
    ) -> None:
        self._calls = calls
        self._outage = outage
        self._speed = speed
        self._turns = cycle(provider_names(PROVIDERS)) if in_turn else None
        self._started = time.monotonic()
        self._served: list[Served] = []

    async def run(self) -> list[Served]:
        """What became of each call, in their order."""
        async with AsyncExitStack() as stack:
            lives = {name: _Life(name, self._clock) for name in provider_names(PROVIDERS)}
            for life in lives.values():
                stack.push_async_callback(life.end)
                await life.begin()
            origin = await stack.enter_async_context(_gateway(lives, self._speed))
            connector = aiohttp.TCPConnector(limit=0)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            self._started = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                if self._outage is not None:
                    tasks.create_task(self._break(lives[self._outage.provider], self._outage))
                for call in self._calls:
                    await self._wait_until(call.at)
                    tasks.create_task(self._send(session, origin, call))
        return sorted(self._served, key=lambda each: each.at)

    def _clock(self) -> float:
        return (time.monotonic() - self._started) * self._speed

    async def _wait_until(self, moment: float) -> None:
        await asyncio.sleep((moment - self._clock()) / self._speed)

    async def _break(self, life: "_Life", outage: Outage) -> None:
        await self._wait_until(outage.begins)
        await life.end()
        await self._wait_until(outage.ends)
        await life.begin()

    async def _send(self, session: aiohttp.ClientSession, origin: str, call: Call) -> None:
        body = body_of(call)
        if self._turns is not None:
            body["provider"] = {"order": [next(self._turns)]}
        async with session.post(f"{origin}/v1/chat/completions", json=body) as answer:
            if not answer.ok:
                self._served.append(Served(call.at, call.user, call.prompt, 0, "failed"))
                return
            usage = (await answer.json())["usage"]
        self._served.append(
            Served(
                at=call.at,
                user=call.user,
                prompt=usage["prompt_tokens"],
                answer=usage["completion_tokens"],
                outcome="ok",
                provider=answer.headers["X-Hearth-Provider"],
                route=cast("Route", answer.headers["X-Hearth-Route"]),
                cached=usage["prompt_tokens_details"]["cached_tokens"],
            )
        )


def body_of(call: Call) -> dict[str, Any]:
    """A chat call whose text begins as that of another one exactly where the workload says so."""
    system = text_of(b"app", call.shared) + text_of(b"user %d" % call.user, call.profile)
    history = text_of(b"conversation %d" % call.conversation, call.history)
    return {
        "model": MODEL,
        "user": f"user_{call.user}",
        "max_tokens": 1,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": history},
        ],
    }


def text_of(name: bytes, tokens: int) -> str:
    """The first `tokens` tokens of the endless text called `name`."""
    length = tokens * CHARACTERS
    pieces = (xxh3_64_hexdigest(b"%b %d" % (name, at)) for at in range(0, length, 16))
    return "".join(pieces)[:length]


class _Life:
    """A mock provider that dies and comes back at the same address, its cache empty."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._settings = MockSettings(
            name=name,
            models=(MODEL,),
            cache_tokens=HARDWARE.cache,
            cache_lifetime=Duration(HARDWARE.lifetime),
            remember=0,
        )
        self._clock = clock
        self._stack = AsyncExitStack()
        self._port = 0

    @property
    def url(self) -> str:
        """What goes into `base_url`, once it has begun."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def begin(self) -> None:
        """Listen, the first time on any free port."""
        provider = running_provider(self._settings, port=self._port, clock=self._clock)
        origin = (await self._stack.enter_async_context(provider)).origin
        self._port = int(origin.rpartition(":")[2])

    async def end(self) -> None:
        """Drop every connection and refuse new ones."""
        await self._stack.aclose()


@asynccontextmanager
async def _gateway(lives: Mapping[str, _Life], speed: float) -> AsyncIterator[str]:
    """The origin of a gateway with default settings, but that its times of health run faster."""
    defaults, sticky = Ejection(), Sticky()
    ejection = msgspec.structs.replace(
        defaults,
        time=Duration(defaults.time / speed),
        max_time=Duration(defaults.max_time / speed),
    )
    providers = tuple(
        Settings(
            name=name,
            base_url=life.url,
            ejection=ejection,
            health=Health(interval=Duration(Health().interval / speed)),
        )
        for name, life in lives.items()
    )
    with tempfile.TemporaryDirectory(prefix="hearth-warmth-") as folder:
        config = Config(
            server=Server(port=0, drain=Duration(1)),
            providers=providers,
            sticky=msgspec.structs.replace(sticky, slow_start=Duration(sticky.slow_start / speed)),
            ledger=Ledger(url=f"sqlite:{folder}/hearth.db", journal=f"{folder}/journal"),
        )
        async with running(config) as origin:
            yield origin
