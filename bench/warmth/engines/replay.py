"""The same conversations to the engines by each strategy, all through the same gateway."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from bench.warmth.engines.results import Answered
from bench.warmth.engines.servers import ENGINES, MODEL, ready
from gateway.config import Config, Ledger, Server
from gateway.config import Provider as Settings
from gateway.demo.phrases import USERS
from gateway.demo.traffic import Traffic, Turn
from gateway.mock.prose import answer_to
from gateway.server import running
from gateway.units import Duration

TALKERS = USERS[:12]
"""As many users as the three engines have places for conversations."""

AT_A_TIME = 2
ANSWER_TOKENS = 16


class Strategy(msgspec.Struct, frozen=True):
    """`fields` are what the n-th call has in its body beside the conversation."""

    name: str
    does: str
    fields: Callable[[int], dict[str, Any]]


STRATEGIES = (
    Strategy("sticky", "default settings, by `user` in the body", lambda _: {}),
    Strategy(
        "round robin",
        "every call names the next engine as its first choice (`provider.order`)",
        lambda number: {"provider": {"order": [ENGINES[number % len(ENGINES)]]}},
    ),
)


def make_turns(count: int, seed: int = 0) -> list[Turn]:
    """The first `count` turns of the talkers, each answered by sentences that depend on it only."""
    traffic = Traffic(seed, TALKERS)
    turns: list[Turn] = []
    while len(turns) < count and (turn := traffic.next_turn()):
        turns.append(turn)
        traffic.settle(turn, answer_to(turn.messages[-1].content))
    return turns


async def replay(
    ports: Mapping[str, int], turns: Sequence[Turn], strategy: Strategy, step: Callable[[str], None]
) -> list[Answered]:
    """What the engines said to each turn. aiohttp.ClientResponseError when one was not answered."""
    answered: list[Answered] = []
    numbered = iter(enumerate(turns))

    async def send_until_done(url: str) -> None:
        for number, turn in numbered:
            step(f"{strategy.name}: {turn.user}")
            answered.append(await _send(session, url, turn, strategy.fields(number)))

    async with aiohttp.ClientSession(raise_for_status=True) as session, _gateway(ports) as origin:
        for port in ports.values():
            await ready(session, port)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_A_TIME):
                tasks.create_task(send_until_done(f"{origin}/v1/chat/completions"))
    return answered


async def _send(
    session: aiohttp.ClientSession,
    url: str,
    turn: Turn,
    fields: dict[str, Any],
) -> Answered:
    body = {
        "model": MODEL,
        "messages": msgspec.to_builtins(turn.messages),
        "user": turn.user,
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0,
        **fields,
    }
    async with session.post(url, json=body) as answer:
        said = await answer.json()
        return Answered(
            user=turn.user,
            engine=answer.headers["X-Hearth-Provider"],
            prompt=said["usage"]["prompt_tokens"],
            cached=said["usage"]["prompt_tokens_details"]["cached_tokens"],
            prompt_ms=said["timings"]["prompt_ms"],
        )


@asynccontextmanager
async def _gateway(ports: Mapping[str, int]) -> AsyncIterator[str]:
    """The origin of a gateway with default settings in front of the engines."""
    providers = tuple(
        Settings(name=name, base_url=f"http://127.0.0.1:{port}/v1") for name, port in ports.items()
    )
    with tempfile.TemporaryDirectory(prefix="hearth-warmth-") as folder:
        config = Config(
            server=Server(port=0, drain=Duration(1)),
            providers=providers,
            ledger=Ledger(url=f"sqlite:{folder}/hearth.db", journal=f"{folder}/journal"),
        )
        async with running(config) as origin:
            yield origin
